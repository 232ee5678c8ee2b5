/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at every process below a memory cgroup, in one pass: within each container at
 * its best victim and the second best, by the container's own policy, and among the
 * containers at the one that gives way, by the level's order. A container without
 * anybody to kill is passed over.
 *
 * Never a candidate: oom_score_adj -1000, kernel threads, the system's init, what has
 * no address space left or one that cannot be freed, who is a victim already. An address
 * space that processes share counts once, for the one that owns it.
 */
#ifndef OOMLET_SCAN_BPF_H
#define OOMLET_SCAN_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "match.bpf.h"
#include "rank.bpf.h"
#include "cause.bpf.h"
#include "memcg.bpf.h"
#include "tier.bpf.h"

#define OOM_SCORE_ADJ_MIN (-1000)
#define OOMLET_LEVELS 32		/* of cgroups, from the root down */
#define MAX_CGROUPS (1 << 14)		/* with processes in them or below */
#define MAX_TASKS (1 << 17)
#define MAX_VICTIMS (1 << 12)

/* What a decision works on. In a map rather than on the stack: values read back from it
 * are unknown to the verifier, so that its states of the loops converge.
 */
struct scan {
	/* in */
	__u32 slot;			/* OOMLET_SLOT_... */
	int level;			/* of the cgroup that is out of memory */
	int container_level;		/* of the container it is in; -1: none */
	__u32 heeds_marks;		/* protected cgroups give way last here */
	__u64 explain_cgroup_id;	/* whose candidates to list, or 0 */
	__u64 total_bytes;		/* what oom_score_adj is a share of, at this OOM */
	__u64 system_bytes;		/* and for oom_score */
	__u8 order[8];
	struct shortage shortage;
	/* out */
	struct oomlet_candidate candidate;/* being looked at */
	__u32 is_init;			/* whether that is the container's PID 1 */
	__u32 unit_pending;		/* a unit begins with the next process */
	int protected_level;		/* of the marked cgroup that is being looked at; -1: none */
	struct unit unit;		/* being looked at */
	struct oomlet_params params;	/* of that; all 0: none */
	struct unit chosen;		/* best.tgid 0: none */
	struct unit next;		/* cgroup_id 0: none */
	struct oomlet_rank kernel;	/* whom the kernel would choose; tgid 0: nobody */
	__u64 kernel_lead;		/* over the next, in its measure */
	__u32 units;			/* with candidates */
	__u32 ours;			/* containers with a policy, and marked cgroups */
	__u32 cgroups;
	__u32 tasks;
	__u32 truncated;
	__u32 explained;
	__u32 victim_count;
	__u32 victims[MAX_VICTIMS];	/* tgids, see kill.bpf.h */
	/* the last time somebody asked and got nothing */
	__u64 declined_at_ns;
	__u64 declined_cgroup_id;
	__u32 declined_pid;
	__u32 declined_victims;		/* noted by then, see dying.bpf.h */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OOMLET_SLOTS);
	__type(key, __u32);
	__type(value, struct scan);
} scans SEC(".maps");

static __always_inline __u64 custom_score(struct scan *s, __u64 otherwise)
{
	__u32 slot = s->slot;
	struct oomlet_custom *answer = bpf_map_lookup_elem(&custom, &slot);

	if (answer) {
		answer->answered = 0;
		oomlet_custom(slot, s->params.custom_id, s->candidate.process.tgid);
		if (answer->answered)
			return answer->score;
	}
	s->unit.custom_missing = 1;
	return otherwise;
}

static __always_inline __u64 score_of(struct scan *s)
{
	const struct oomlet_process *process = &s->candidate.process;
	const struct oomlet_memory *m = &process->memory;
	__u64 kernel = badness(size_bytes(m), process->oom_score_adj, s->total_bytes);

	switch (s->params.victim) {
	case OOMLET_VICTIM_LARGEST_RSS:
		return rss_bytes(m);
	case OOMLET_VICTIM_LARGEST_MEMORY:
		return size_bytes(m);
	case OOMLET_VICTIM_LARGEST_ANON:
		return m->anon_bytes;
	case OOMLET_VICTIM_LARGEST_SHMEM:
		return m->shmem_bytes;
	case OOMLET_VICTIM_YOUNGEST:
		return process->start_boottime_ns;
	case OOMLET_VICTIM_OLDEST:
		return ~process->start_boottime_ns;
	case OOMLET_VICTIM_HIGHEST_OOM_SCORE:
		return badness(size_bytes(m), process->oom_score_adj, s->system_bytes);
	case OOMLET_VICTIM_CUSTOM:
		return custom_score(s, kernel);
	default:
		return kernel;
	}
}

/* The kernel has one measure for all, whosever they are. */
static __always_inline void rank_as_kernel(struct scan *s, const struct oomlet_rank *rank)
{
	__u64 score = badness(rank->size_bytes, s->candidate.process.oom_score_adj, s->total_bytes);

	if (!s->kernel.tgid || score > s->kernel.score) {
		s->kernel_lead = s->kernel.tgid ? score - s->kernel.score : ~0ULL;
		s->kernel = *rank;
		s->kernel.score = score;
	} else if (s->kernel.score - score < s->kernel_lead) {
		s->kernel_lead = s->kernel.score - score;
	}
}

/* s->candidate has its process: ranks it, and keeps it if it is the best or second best
 * of its container. Functions that are not static are looked at once by the verifier,
 * and not at each call.
 */
__noinline int oomlet_rank(struct scan *s)
{
	struct oomlet_candidate *c, *e;
	__u32 at;

	if (!s)
		return 0;
	c = &s->candidate;
	c->rank.class_ = class_of(&s->params, &c->process, s->is_init);
	c->rank.score = score_of(s);
	c->rank.size_bytes = size_bytes(&c->process.memory);
	c->rank.start_boottime_ns = c->process.start_boottime_ns;
	c->rank.tgid = c->process.tgid;
	s->unit.candidates++;
	rank_as_kernel(s, &c->rank);
	if (s->unit.sums_up) {
		s->unit.usage_bytes = s->unit.candidates == 1 ? 0 : s->unit.usage_bytes;
		s->unit.usage_bytes += c->rank.size_bytes;
		s->unit.keys[OOMLET_ORDER_USAGE] = s->unit.usage_bytes;
		s->unit.keys[OOMLET_ORDER_OVER_REQUEST] = s->unit.usage_bytes;
	}
	if (rank_before(&c->rank, &s->unit.best.rank)) {
		s->unit.runner_up = s->unit.best;
		s->unit.best = *c;
	} else if (rank_before(&c->rank, &s->unit.runner_up.rank)) {
		s->unit.runner_up = *c;
	}
	if (s->explain_cgroup_id && s->unit.cgroup_id == s->explain_cgroup_id) {
		at = s->explained;
		s->explained = at + 1;
		e = bpf_map_lookup_elem(&explained, &at);
		if (e)
			*e = *c;
	}
	return 0;
}

/* Compares the container that has been looked at with the ones before it. */
__noinline int oomlet_finish_unit(struct scan *s)
{
	__u32 key;

	if (!s || s->unit.level < 0 || !s->unit.best.rank.tgid)
		return 0;
	s->units++;
	key = unit_difference(&s->unit, &s->chosen, s->order);
	if (!s->chosen.best.rank.tgid ||
	    (key < OOMLET_COMPARED_KEYS && s->unit.keys[key] > s->chosen.keys[key])) {
		s->next = s->chosen;
		s->chosen = s->unit;
		return 0;
	}
	key = unit_difference(&s->unit, &s->next, s->order);
	if (!s->next.best.rank.tgid ||
	    (key < OOMLET_COMPARED_KEYS && s->unit.keys[key] > s->next.keys[key]))
		s->next = s->unit;
	return 0;
}

/* What is no container as far as anybody knows, such as a system service, gives way last. */
static __always_inline __u64 qos_key(const struct oomlet_params *p)
{
	if (!p->kind)
		return 0;
	return p->qos == OOMLET_QOS_BEST_EFFORT ? 3 : p->qos == OOMLET_QOS_GUARANTEED ? 1 : 2;
}

/* At what the node decides, a policy that is a dry run has no say. Who the container is stays. */
static __always_inline void forget_policy(struct oomlet_params *p)
{
	p->victim = OOMLET_VICTIM_KERNEL;
	p->kill = OOMLET_KILL_PROCESS;
	p->priority = 0;
	p->protect_count = p->prefer_count = 0;
	p->min_size_bytes = 0;
	p->flags &= ~(OOMLET_PROTECT_INIT | OOMLET_PREFER_INIT);
}

/* Begins with the next container. cgroup_id 0: whatever comes before the first. */
__noinline int oomlet_start_unit(struct scan *s, const struct oomlet_params *p, __u64 cgroup_id,
				 __u64 usage)
{
	struct unit *u;

	if (!s)
		return 0;
	oomlet_finish_unit(s);
	/* From nowhere: that fails, and fills with 0 */
	bpf_probe_read_kernel(&s->params, sizeof(s->params), p);
	if (s->heeds_marks && (s->params.flags & OOMLET_DRY_RUN))
		forget_policy(&s->params);
	u = &s->unit;
	__builtin_memset(u, 0, sizeof(*u));
	u->cgroup_id = cgroup_id;
	u->usage_bytes = usage;
	u->keys[OOMLET_ORDER_PRIORITY] = 0x7fffffffLL - (__s64)s->params.priority;
	u->keys[OOMLET_ORDER_QOS] = qos_key(&s->params);
	u->keys[OOMLET_ORDER_OVER_REQUEST] =
		usage > s->params.request_bytes ? usage - s->params.request_bytes : 0;
	u->keys[OOMLET_ORDER_USAGE] = usage;
	/* Ids of cgroups grow */
	u->keys[OOMLET_ORDER_YOUNGEST] = cgroup_id;
	u->keys[OOMLET_ORDER_PROTECT] = s->protected_level < 0;
	return 0;
}

/* cgrp: the container's topmost cgroup that is looked at */
static __always_inline void start_unit(struct scan *s, const struct oomlet_params *p,
				       struct cgroup *cgrp, __u64 cgroup_id, int level,
				       int params_level)
{
	oomlet_start_unit(s, p, cgroup_id, memory_current(cgrp));
	s->unit.level = level;
	s->unit.params_level = params_level;
	if (s->shortage.declared)
		s->unit.keys[OOMLET_ORDER_CAUSE] = cause_of(&s->shortage, cgrp, s->unit.usage_bytes);
}

static __noinline void consider(struct scan *s, struct task_struct *task)
{
	struct oomlet_process *process = &s->candidate.process;
	struct task_struct *owner;
	struct mm_struct *mm;

	if ((task->flags & PF_KTHREAD) || task->tgid == 1 || is_victim(task))
		return;
	mm = mm_of(task);
	if (!mm || is_reaped(mm) || task->signal->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return;
	owner = mm->owner;
	if (owner && owner->tgid != task->tgid)
		return;
	memory_of(mm, &process->memory);
	process->tgid = task->tgid;
	process->uid = task->cred->uid.val;
	process->oom_score_adj = task->signal->oom_score_adj;
	process->start_boottime_ns = task->start_boottime;
	bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
	s->is_init = (s->params.flags & (OOMLET_PROTECT_INIT | OOMLET_PREFER_INIT)) &&
		     is_init(&s->params, task);
	oomlet_rank(s);
}

/* A container's parameters on that cgroup, or NULL. */
static __always_inline struct oomlet_params *params_on(struct cgroup *cgrp, __u32 kind)
{
	struct oomlet_params *p = bpf_cgrp_storage_get(&params, cgrp, NULL, 0);

	return p && p->kind == kind ? p : NULL;
}

/* Of a container with or without a policy. */
static __always_inline struct oomlet_params *container_on(struct cgroup *cgrp)
{
	struct oomlet_params *p = bpf_cgrp_storage_get(&params, cgrp, NULL, 0);

	return p && (p->kind == OOMLET_KIND_CONTAINER || p->kind == OOMLET_KIND_KNOWN) ? p : NULL;
}

/* Whether this cgroup is protected: it is marked, or one above it and below the one that
 * is out of memory. Parents come before their children.
 */
static __always_inline void find_protection(struct scan *s, struct cgroup *cgrp)
{
	struct oomlet_mark *mark;

	if (s->protected_level >= cgrp->level)
		s->protected_level = -1;
	if (!s->heeds_marks || s->protected_level >= 0 || cgrp->level <= s->level)
		return;
	mark = bpf_cgrp_storage_get(&marks, cgrp, NULL, 0);
	if (mark && mark->protect) {
		s->protected_level = cgrp->level;
		s->ours++;
	}
}

/* Which container this cgroup belongs to. */
static __always_inline void find_unit(struct scan *s, struct cgroup *cgrp)
{
	struct oomlet_params *p;
	struct cgroup *container;

	s->unit_pending = 0;
	if (s->unit.level >= 0 && cgrp->level > s->unit.level &&
	    !(s->unit.known && params_on(cgrp, OOMLET_KIND_CONTAINER)))
		return;
	if (s->container_level >= 0) {
		container = bpf_cgroup_ancestor(cgrp, s->container_level);
		if (!container)
			return;
		p = params_on(container, OOMLET_KIND_CONTAINER);
		start_unit(s, p, cgrp, container->kn->id, cgrp->level, s->container_level);
		bpf_cgroup_release(container);
		s->ours++;
		return;
	}
	p = container_on(cgrp);
	if (!p) {
		/* The one before ends here; this is not one unless it has processes */
		oomlet_finish_unit(s);
		s->unit.level = -1;
		s->unit_pending = 1;
		return;
	}
	start_unit(s, p, cgrp, cgrp->kn->id, cgrp->level, cgrp->level);
	s->unit.known = s->params.kind == OOMLET_KIND_KNOWN;
	s->ours += !s->unit.known;
}

/* A cgroup with processes, and without a container's parameters. Its QoS class is that of
 * the nearest cgroup above that has one: a pod, or the slice of a class.
 */
static __noinline void start_other_unit(struct scan *s, struct cgroup *cgrp)
{
	struct bpf_iter_num numbers;
	struct oomlet_params *p;
	struct cgroup *ancestor;
	bool started = false;
	int *i;

	bpf_iter_num_new(&numbers, 1, OOMLET_LEVELS);
	while (!started && (i = bpf_iter_num_next(&numbers))) {
		ancestor = bpf_cgroup_ancestor(cgrp, cgrp->level - *i);
		if (!ancestor)
			break;
		p = bpf_cgrp_storage_get(&params, ancestor, NULL, 0);
		if (p) {
			/* Without what is below it, which the root's usage would count */
			start_unit(s, p, cgrp, cgrp->kn->id, OOMLET_LEVELS, -1);
			started = true;
		}
		bpf_cgroup_release(ancestor);
	}
	bpf_iter_num_destroy(&numbers);
	if (!started)
		start_unit(s, NULL, cgrp, cgrp->kn->id, OOMLET_LEVELS, -1);
	s->unit.sums_up = !cgrp->level;
}

/* Whether there are processes in a cgroup or below it. Empty ones, and those that are removed and linger, are many where
 * somebody has made them to be looked at.
 */
static __always_inline bool is_populated(struct cgroup *cgrp)
{
	int children = cgrp->nr_populated_domain_children + cgrp->nr_populated_threaded_children;

	if (bpf_core_field_exists(cgrp->self.nr_populated_csets))
		return children + cgrp->self.nr_populated_csets;
	return children + ((struct cgroup___before *)cgrp)->nr_populated_csets;
}

/* One cgroup's own processes. */
static __noinline void scan_cgroup(struct scan *s, struct cgroup *cgrp)
{
	struct processes processes;
	struct task_struct *task;

	find_protection(s, cgrp);
	find_unit(s, cgrp);
	if (!processes_of(&processes, s->slot, cgrp))
		return;
	while ((task = next_process(&processes))) {
		if (s->tasks >= MAX_TASKS) {
			s->truncated = 1;
			done_with(task);
			break;
		}
		s->tasks++;
		if (s->unit_pending) {
			s->unit_pending = 0;
			start_other_unit(s, cgrp);
		}
		consider(s, task);
		done_with(task);
	}
	no_more(&processes);
}

/* Fills in what is out in *s. */
static __always_inline void scan(struct scan *s, struct cgroup *top)
{
	struct cgroup_subsys_state *pos;
	struct bpf_iter_css cgroups;
	struct cgroup *cgrp;

	__builtin_memset(&s->unit, 0, sizeof(s->unit));
	s->unit.level = -1;
	__builtin_memset(&s->chosen, 0, sizeof(s->chosen));
	__builtin_memset(&s->next, 0, sizeof(s->next));
	__builtin_memset(&s->kernel, 0, sizeof(s->kernel));
	s->kernel_lead = 0;
	s->units = s->ours = s->cgroups = s->tasks = 0;
	s->protected_level = -1;
	s->truncated = s->explained = 0;

	bpf_rcu_read_lock();
	if (!find_processes(s->slot, top))
		s->truncated = 1;
	bpf_iter_css_new(&cgroups, &top->self, BPF_CGROUP_ITER_DESCENDANTS_PRE);
	while ((pos = bpf_iter_css_next(&cgroups))) {
		if (!is_populated(pos->cgroup))
			continue;
		if (s->cgroups >= MAX_CGROUPS) {
			s->truncated = 1;
			break;
		}
		s->cgroups++;
		cgrp = bpf_cgroup_from_id(pos->cgroup->kn->id);
		if (!cgrp)
			continue;
		if (memcg_of(cgrp))
			scan_cgroup(s, cgrp);
		bpf_cgroup_release(cgrp);
	}
	bpf_iter_css_destroy(&cgroups);
	bpf_rcu_read_unlock();
	oomlet_finish_unit(s);
}

#endif
