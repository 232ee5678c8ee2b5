/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes records of decisions: what was asked, who was chosen, what came of it.
 */
#ifndef OOMLET_RECORD_BPF_H
#define OOMLET_RECORD_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "scan.bpf.h"


/* Where a record is put together. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OOMLET_SLOTS);
	__type(key, __u32);
	__type(value, struct oomlet_record);
} drafts SEC(".maps");

static __always_inline struct oomlet_record *record_start(__u32 slot)
{
	struct oomlet_record *r = bpf_map_lookup_elem(&drafts, &slot);

	if (!r)
		return NULL;
	/* From nowhere: that fails, and fills with 0 */
	bpf_probe_read_kernel(r, sizeof(*r), NULL);
	r->abi_version = OOMLET_ABI_VERSION;
	r->tier = TIER;
	return r;
}

static __always_inline void record_send(struct oomlet_record *r)
{
	struct oomlet_counts *c;
	__u32 zero = 0;

	if (!bpf_ringbuf_output(&records, r, sizeof(*r), 0))
		return;
	c = bpf_map_lookup_elem(&counts, &zero);
	if (c)
		__sync_fetch_and_add(&c->records_lost, 1);
}

struct path {
	char text[OOMLET_PATH_SIZE];
};

/* A cgroup's path from the root of the hierarchy: "/a/b", "/" for the root. What does not
 * fit is missing at its end. Not static: see oomlet_matches().
 */
__noinline int oomlet_path(struct path *path, __u64 cgroup_id)
{
	struct cgroup *cgrp, *ancestor;
	struct kernfs_node *kn;
	const char *name;
	__u32 at = 0;
	long n;
	int i;

	if (!path)
		return 0;
	cgrp = bpf_cgroup_from_id(cgroup_id);
	if (!cgrp)
		return 0;
	path->text[0] = '/';
	for (i = 1; i < OOMLET_LEVELS; i++) {
		if (i > cgrp->level || at >= OOMLET_PATH_SIZE - 256 - 1)
			break;
		ancestor = NULL;
		kn = NULL;
		name = NULL;
		bpf_core_read(&ancestor, sizeof(ancestor), &cgrp->ancestors[i]);
		bpf_core_read(&kn, sizeof(kn), &ancestor->kn);
		bpf_core_read(&name, sizeof(name), &kn->name);
		path->text[at] = '/';
		n = bpf_probe_read_kernel_str(&path->text[at + 1], 256, name);
		if (n <= 0 || n > 256)
			break;
		at += n;
	}
	bpf_cgroup_release(cgrp);
	return 0;
}

#define record_path(field, id) oomlet_path((struct path *)(field), id)

/* What ran out. */
static __always_inline void record_limit(struct oomlet_record *r, struct cgroup *cgrp)
{
	struct mem_cgroup *memcg;

	r->usage_bytes = memory_current(cgrp);
	r->limit_bytes = memory_max(cgrp);
	r->limit_cgroup_id = cgrp->kn->id;
	record_path(r->limit_cgroup, r->limit_cgroup_id);

	memcg = bpf_get_mem_cgroup ? bpf_get_mem_cgroup(&cgrp->self) : NULL;
	if (!memcg)
		return;
	flush_stats(memcg);
	r->charged_anon_bytes = memory_stat(memcg, node_stat_item, NR_ANON_MAPPED);
	r->charged_file_bytes = memory_stat(memcg, node_stat_item, NR_FILE_PAGES);
	r->charged_mapped_bytes = memory_stat(memcg, node_stat_item, NR_FILE_MAPPED);
	r->charged_shmem_bytes = memory_stat(memcg, node_stat_item, NR_SHMEM);
	r->charged_kernel_bytes = memory_stat(memcg, memcg_stat_item, MEMCG_KMEM);
	bpf_put_mem_cgroup(memcg);
}

/* How it was called an OOM. */
static __always_inline void record_pressure(struct oomlet_record *r, struct cgroup *cgrp)
{
	struct oomlet_pressure_limit *limit = bpf_cgrp_storage_get(&pressure, cgrp, NULL, 0);
	struct oomlet_stall *stall = bpf_cgrp_storage_get(&stalls, cgrp, NULL, 0);

	if (!limit || !stall)
		return;
	r->pressure = stall->kind;
	r->pressure_permille = stall->permille;
	r->pressure_limit_permille = limit->permille;
	r->pressure_held_ns = stall->held_ns;
}

/* Who a container is, as far as it is known. */
static __noinline void record_identity(struct oomlet_identity *identity, __u64 cgroup_id)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id);
	struct oomlet_params *p;

	if (!cgrp)
		return;
	bpf_rcu_read_lock();
	p = container_on(cgrp);
	if (p)
		bpf_probe_read_kernel(identity, sizeof(*identity), &p->identity);
	bpf_rcu_read_unlock();
	bpf_cgroup_release(cgrp);
}

/* Which container gave way, before which other. */
static __always_inline void record_choice(struct oomlet_record *r, struct scan *s)
{
	struct oomlet_params *p;
	struct cgroup *cgrp;

	r->containers = s->units;
	r->candidates = s->chosen.candidates;
	r->victim = s->chosen.best.process;
	r->runner_up = s->chosen.runner_up.process;
	r->victim_score = s->chosen.best.rank.score;
	r->runner_up_score = s->chosen.runner_up.rank.score;
	r->victim_class = s->chosen.best.rank.class_;
	r->runner_up_class = s->chosen.runner_up.rank.class_;
	r->container_cgroup_id = s->chosen.cgroup_id;
	r->container_usage_bytes = s->chosen.usage_bytes;
	r->next_cgroup_id = s->next.cgroup_id;
	r->next_usage_bytes = s->next.usage_bytes;
	r->decided_by = s->next.cgroup_id ? unit_difference(&s->chosen, &s->next, s->order) : OOMLET_ORDER_END;
	__builtin_memcpy(r->container_keys, s->chosen.keys, sizeof(r->container_keys));
	__builtin_memcpy(r->next_keys, s->next.keys, sizeof(r->next_keys));
	__builtin_memcpy(r->order, s->order, sizeof(r->order));
	if (s->truncated)
		r->flags |= OOMLET_TRUNCATED;
	if (s->chosen.custom_missing)
		r->flags |= OOMLET_CUSTOM_MISSING;
	if (s->chosen.best.rank.tgid && s->chosen.best.rank.class_ == OOMLET_CLASS_PROTECTED)
		r->flags |= OOMLET_ALL_PROTECTED;
	if (s->chosen.best.rank.tgid && s->chosen.best.rank.class_ == OOMLET_CLASS_SMALL)
		r->flags |= OOMLET_ALL_SMALL;
	if (s->chosen.best.rank.tgid && !s->chosen.keys[OOMLET_ORDER_PROTECT])
		r->flags |= OOMLET_CONTAINER_PROTECTED;

	if (s->next.cgroup_id) {
		record_path(r->next_cgroup, s->next.cgroup_id);
		record_identity(&r->next, s->next.cgroup_id);
	}
	record_path(r->container_cgroup, s->chosen.cgroup_id);
	record_identity(&r->container, s->chosen.cgroup_id);
	cgrp = bpf_cgroup_from_id(s->chosen.cgroup_id);
	if (!cgrp)
		return;
	r->kill = OOMLET_KILL_PROCESS;
	bpf_rcu_read_lock();
	p = params_on(cgrp, OOMLET_KIND_CONTAINER);
	if (p) {
		__builtin_memcpy(r->policy, p->policy, sizeof(r->policy));
		if ((p->flags & OOMLET_DRY_RUN) && s->heeds_marks) {
			r->flags |= OOMLET_POLICY_IS_DRY_RUN;
		} else {
			r->kill = p->kill;
			r->victim_rule = p->victim;
			if (p->flags & OOMLET_DRY_RUN)
				r->outcome = OOMLET_OUTCOME_DRY_RUN;
		}
	} else {
		r->flags |= OOMLET_NO_POLICY;
	}
	bpf_rcu_read_unlock();
	bpf_cgroup_release(cgrp);
}

#endif
