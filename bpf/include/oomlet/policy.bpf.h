/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handler all policies share. A policy's file is
 *
 *	#include <oomlet/policy.bpf.h>
 *	OOMLET_POLICY(largest_rss, "largest-rss")
 *	static __always_inline __u64 score(task, rss_bytes) { return rss_bytes; }
 *
 * and nothing else: who is asked, the wait for an earlier victim, the kill and its
 * record are the same for all.
 */
#ifndef OOMLET_POLICY_BPF_H
#define OOMLET_POLICY_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "scan.bpf.h"
#include "record.bpf.h"

#define OOMLET_ESRCH 3
#define NO_LIMIT (~0ULL)
#define PAGE_COUNTER_MAX (0x7fffffffffffffffULL / OOMLET_PAGE_SIZE)

/* The nearest cgroup, from cgrp up, that a container has parameters on, acquired;
 * its identity goes to the record.
 */
static __always_inline void record_container(struct oomlet_record *r, struct cgroup *cgrp)
{
	int i, level = cgrp->level;

	for (i = 0; i < OOMLET_PATH_LEVELS && i <= level; i++) {
		struct cgroup *ancestor = bpf_cgroup_ancestor(cgrp, level - i);
		struct oomlet_params *p;

		if (!ancestor)
			return;
		p = bpf_cgrp_storage_get(&params, ancestor, NULL, 0);
		if (p) {
			r->container_cgroup_id = ancestor->kn->id;
			__builtin_memcpy(&r->container, &p->identity, sizeof(r->container));
			record_path(r->container_cgroup, ancestor);
			bpf_cgroup_release(ancestor);
			return;
		}
		bpf_cgroup_release(ancestor);
	}
}

static __always_inline __u32 trigger_of(struct oom_control *oc)
{
	if (bpf_core_field_exists(oc->bpf_declared) && oc->bpf_declared)
		return OOMLET_TRIGGER_PRESSURE;
	return oc->memcg ? OOMLET_TRIGGER_LIMIT : OOMLET_TRIGGER_SYSTEM;
}

static __always_inline void record_decision(struct oomlet_record *r, struct oom_control *oc,
					    struct mem_cgroup *memcg)
{
	__u64 max = memcg->memory.max;
	struct cgroup *cgrp;

	r->trigger = trigger_of(oc);
	r->level = OOMLET_LEVEL_CONTAINER;
	r->candidates = found.candidates;
	r->usage_bytes = bpf_mem_cgroup_usage(memcg);
	r->limit_bytes = max >= PAGE_COUNTER_MAX ? NO_LIMIT : max * OOMLET_PAGE_SIZE;
	r->limit_cgroup_id = memcg->css.cgroup->kn->id;
	cgrp = bpf_cgroup_from_id(r->limit_cgroup_id);
	if (!cgrp)
		return;
	record_path(r->limit_cgroup, cgrp);
	record_container(r, cgrp);
	bpf_cgroup_release(cgrp);
}

/* Kills the process of that tgid, or waits for it if it is dying already. */
static __always_inline int kill_process(struct oom_control *oc, __u32 tgid, const char *why,
					struct oomlet_process *recorded)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	int err;

	if (!task)
		return -OOMLET_ESRCH;
	if (recorded)
		record_process(recorded, task);
	err = bpf_oom_kill_process(oc, task, why);
	bpf_task_release(task);
	return err;
}

static __always_inline int decide(struct oom_control *oc, const char *policy,
				  unsigned int policy_size, const char *why)
{
	struct mem_cgroup *memcg = oc->memcg;
	__u64 start = bpf_ktime_get_boot_ns(), decided;
	struct task_struct *runner_up;
	struct oomlet_record *r;
	int err = 0;

	/* Policies sit on containers; an OOM of the system is not theirs to decide */
	if (!memcg)
		return 0;
	scan(memcg);

	/* One victim at a time: wait for the earlier one, unless it has nothing left */
	if (found.dying && !kill_process(oc, found.dying, why, NULL))
		return 1;

	decided = bpf_ktime_get_boot_ns();
	r = record_reserve();
	if (r) {
		r->boottime_ns = start;
		r->decision_ns = decided - start;
		__builtin_memcpy(r->policy, policy, policy_size);
		record_decision(r, oc, memcg);
		runner_up = found.runner_up.tgid ? bpf_task_from_pid(found.runner_up.tgid) : NULL;
		if (runner_up) {
			record_process(&r->runner_up, runner_up);
			bpf_task_release(runner_up);
		}
	}
	if (found.best.tgid)
		err = kill_process(oc, found.best.tgid, why, r ? &r->victim : NULL);
	if (r) {
		r->error = err;
		r->outcome = !found.best.tgid ? OOMLET_OUTCOME_STOOD_ASIDE :
			     err ? OOMLET_OUTCOME_FAILED : OOMLET_OUTCOME_KILLED;
		bpf_ringbuf_submit(r, 0);
	}
	return found.best.tgid && !err;
}

#define OOMLET_POLICY(ident, text)							\
	char LICENSE[] SEC("license") = "GPL";						\
	const char why_##ident[] SEC(".rodata.why") = "oomlet " text;			\
	static const char policy_##ident[] = text;					\
											\
	SEC("struct_ops/handle_" #ident)						\
	int handle_##ident(unsigned long long *ctx)					\
	{										\
		return decide((struct oom_control *)ctx[0], policy_##ident,		\
			      sizeof(policy_##ident), why_##ident);			\
	}										\
											\
	SEC(".struct_ops")								\
	struct bpf_oom_ops ident = {							\
		.handle_out_of_memory = (void *)handle_##ident,				\
		.name = "oomlet_" #ident,						\
	};

#endif
