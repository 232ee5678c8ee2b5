/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A decision. It has two steps. Which container gives way: the one whose OOM it is, or, at
 * a pod, a slice or the system, the first by the level's order. Then which process of
 * it, by that container's own policy; without one, by the kernel's measure.
 *
 * The same on every kernel; tier.bpf.h has what differs.
 *
 * When in doubt, return 0: the kernel's own OOM killer decides.
 */
#ifndef OOMLET_DECIDE_BPF_H
#define OOMLET_DECIDE_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "scan.bpf.h"
#include "record.bpf.h"
#include "dying.bpf.h"
#include "aside.bpf.h"
#include "kill.bpf.h"
#include "pressure.bpf.h"

#define ASKED_AGAIN_NS 100000000

/* Where an OOM is, and by what rules containers are compared there. */
static __always_inline void find_level(struct scan *s, struct oomlet_record *r, struct cgroup *cgrp)
{
	struct oomlet_state *shared = shared_state();
	struct bpf_iter_num numbers;
	struct oomlet_params *p;
	struct cgroup *ancestor;
	int *i;

	s->level = cgrp->level;
	s->container_level = -1;
	r->level = cgrp->level ? OOMLET_LEVEL_SLICE : OOMLET_LEVEL_SYSTEM;
	if (shared)
		__builtin_memcpy(s->order, shared->order, sizeof(s->order));
	p = params_on(cgrp, OOMLET_KIND_POD);
	if (p) {
		r->level = OOMLET_LEVEL_POD;
		__builtin_memcpy(s->order, p->order, sizeof(s->order));
	}
	/* The topmost: what is inside of a container is its own affair */
	bpf_iter_num_new(&numbers, 1, OOMLET_LEVELS);
	while (s->container_level < 0 && (i = bpf_iter_num_next(&numbers))) {
		ancestor = bpf_cgroup_ancestor(cgrp, *i);
		if (!ancestor)
			break;
		if (params_on(ancestor, OOMLET_KIND_CONTAINER)) {
			s->container_level = *i;
			r->level = OOMLET_LEVEL_CONTAINER;
		}
		bpf_cgroup_release(ancestor);
	}
	bpf_iter_num_destroy(&numbers);
	s->heeds_marks = r->level == OOMLET_LEVEL_SLICE || r->level == OOMLET_LEVEL_SYSTEM;
}

static __always_inline void find_totals(struct scan *s, struct cgroup *cgrp, bool whole_system)
{
	struct oomlet_state *shared = shared_state();
	__u64 ram = shared ? shared->ram_bytes : 0, swap = shared ? shared->swap_bytes : 0;
	__u64 max = whole_system ? NO_LIMIT : memory_max(cgrp), swap_max;

	s->system_bytes = s->total_bytes = ram + swap;
	if (max == NO_LIMIT)
		return;
	swap_max = memory_swap_max(cgrp);
	s->total_bytes = max + (swap_max < swap ? swap_max : swap);
}

/* All up to the victim's choice. Returns false if nothing of this is oomlet's business. */
static __noinline bool choose(struct scan *s, struct oomlet_record *r, struct cgroup *cgrp)
{
	find_level(s, r, cgrp);
	find_totals(s, cgrp, r->level == OOMLET_LEVEL_SYSTEM);
	s->shortage.declared = r->trigger == OOMLET_TRIGGER_PRESSURE;
	if (s->shortage.declared) {
		find_shortage(&s->shortage, cgrp, r->level == OOMLET_LEVEL_SYSTEM);
		record_pressure(r, cgrp);
	}
	scan(s, cgrp);
	/* Nobody to kill: tell of whom */
	if (!s->chosen.best.rank.tgid && s->container_level >= 0)
		s->chosen = s->unit;
	return s->ours || r->pressure;
}

/* The cgroup of the pod that the container is in, or 0. */
static __always_inline __u64 pod_of(__u64 cgroup_id)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id), *parent;
	__u64 id = 0;

	if (!cgrp)
		return 0;
	parent = bpf_cgroup_ancestor(cgrp, cgrp->level - 1);
	if (parent) {
		if (params_on(parent, OOMLET_KIND_POD))
			id = parent->kn->id;
		bpf_cgroup_release(parent);
	}
	bpf_cgroup_release(cgrp);
	return id;
}

/* Whether what is out of memory is a cgroup inside of a container, by a limit that the container has set itself. */
static __always_inline bool is_inside(struct scan *s)
{
	return s->container_level >= 0 && s->level > s->container_level;
}

static __noinline void kill(oom_handle *oom, struct cgroup *cgrp, struct scan *s, struct oomlet_record *r)
{
	int group = group_level(s->chosen.best.rank.tgid, s->level);
	int container = s->chosen.params_level >= 0 ? s->chosen.params_level : s->chosen.level;
	__u64 group_id = group >= 0 ? cgroup_at(s->chosen.best.rank.tgid, group) : 0, scope = 0;

	r->error = kill_process(oom, s->chosen.best.rank.tgid, r->victim_rule);
	if (r->error) {
		r->outcome = OOMLET_OUTCOME_FAILED;
		return;
	}
	r->outcome = OOMLET_OUTCOME_KILLED;
	r->flags |= KILL_FLAGS;
	/* As the kernel has it: nobody outside of what is out of memory */
	if (r->kill != OOMLET_KILL_PROCESS && is_inside(s)) {
		if (!KILLS_GROUPS || group != s->level)
			r->also_killed = kill_rest(oom, s, cgrp->kn->id, s->chosen.best.rank.tgid);
		return;
	}
	switch (r->kill) {
	case OOMLET_KILL_CONTAINER:
		if (KILLS_GROUPS && group >= 0 && group < container)
			r->flags |= OOMLET_GROUP_DRIFT;
		if (!KILLS_GROUPS || group < 0 || group > container)
			scope = s->chosen.cgroup_id;
		break;
	case OOMLET_KILL_POD:
		scope = pod_of(s->chosen.cgroup_id);
		if (!scope)
			scope = s->chosen.cgroup_id;
		break;
	default:
		if (!KILLS_GROUPS && group >= 0 && (r->flags & OOMLET_NO_POLICY))
			scope = group_id;
		if (KILLS_GROUPS && group >= 0 && !(r->flags & OOMLET_NO_POLICY))
			r->flags |= OOMLET_GROUP_DRIFT;
	}
	if (scope)
		r->also_killed = kill_rest(oom, s, scope, s->chosen.best.rank.tgid);
}

/* Who gives way of containers that have not all been looked at is nothing to decide. */
static __always_inline bool is_partial(struct scan *s)
{
	return s->truncated && s->heeds_marks;
}

/* Nobody to kill, too much to look at it all, or the container's policy is to leave it to the kernel. */
static __always_inline bool stands_aside(struct scan *s, struct oomlet_record *r)
{
	return !s->chosen.best.rank.tgid || is_partial(s) ||
	       (r->level == OOMLET_LEVEL_CONTAINER && r->victim_rule == OOMLET_VICTIM_KERNEL);
}

/* Nothing was killed. The policies further up will be asked about the same OOM, then the
 * kernel chooses: it is the same one as long as that has no victim, or for a moment where
 * it finds none.
 */
static __always_inline int decline(struct scan *s, __u64 cgroup_id)
{
	s->declined_at_ns = bpf_ktime_get_boot_ns();
	s->declined_cgroup_id = cgroup_id;
	s->declined_pid = bpf_get_current_task_btf()->pid;
	s->declined_victims = victims_noted();
	return 0;
}

static __always_inline bool declined_just_now(struct scan *s, __u64 cgroup_id, __u64 now)
{
	return s->declined_cgroup_id == cgroup_id && now - s->declined_at_ns < ASKED_AGAIN_NS &&
	       s->declined_victims == victims_noted() && s->declined_pid == bpf_get_current_task_btf()->pid;
}

/* Whether the kernel would kill the same, and the same with it. Its counters, its log and who reads them say then what they
 * always do. Sizes of processes are near enough only.
 */
static __noinline bool kernel_agrees(struct scan *s, struct oomlet_record *r)
{
	struct oomlet_state *shared = shared_state();
	__u32 tgid = s->chosen.best.rank.tgid;
	int group;

	if (r->trigger == OOMLET_TRIGGER_PRESSURE || tgid != s->kernel.tgid || !shared ||
	    s->kernel_lead < shared->inexact_bytes)
		return false;
	group = group_level(tgid, s->level);
	if (r->kill == OOMLET_KILL_PROCESS)
		return group < 0 || (r->flags & OOMLET_NO_POLICY);
	if (is_inside(s))
		return group == s->level;
	return r->kill == OOMLET_KILL_CONTAINER && group >= 0 && group == s->chosen.params_level;
}

static __noinline int decide(oom_handle *oom, struct cgroup *cgrp, __u32 trigger, __u32 slot)
{
	__u64 start = bpf_ktime_get_boot_ns(), id = cgrp->kn->id;
	struct victim victim = {};
	struct oomlet_record *r;
	struct scan *s;

	s = bpf_map_lookup_elem(&scans, &slot);
	if (!s || declined_just_now(s, id, start))
		return 0;
	if (waited_for_victim(oom, cgrp, start + WAIT_NS))
		return 1;
	r = record_start(slot);
	if (!r)
		return 0;
	s->slot = slot;
	r->trigger = trigger;
	if (!choose(s, r, cgrp))
		return decline(s, id);

	r->boottime_ns = start;
	r->decision_ns = bpf_ktime_get_boot_ns() - start;
	record_limit(r, cgrp);
	record_choice(r, s);
	if (stands_aside(s, r))
		r->outcome = OOMLET_OUTCOME_STOOD_ASIDE;
	else if (r->outcome != OOMLET_OUTCOME_DRY_RUN && kernel_agrees(s, r) &&
		 leave_to_kernel(oom, s->chosen.best.rank.tgid))
		return 0;
	else if (r->outcome != OOMLET_OUTCOME_DRY_RUN)
		kill(oom, cgrp, s, r);
	if (r->outcome == OOMLET_OUTCOME_KILLED || !is_said_already(r))
		record_send(r);
	/* It has ended by itself: that frees memory, too */
	if (r->error == -ESRCH)
		return 1;
	if (r->outcome != OOMLET_OUTCOME_KILLED)
		return decline(s, id);
	victim.tgid = s->chosen.best.rank.tgid;
	victim.start_boottime_ns = s->chosen.best.rank.start_boottime_ns;
	victim.size_bytes = rss_bytes(&s->chosen.best.process.memory);
	wait_for_memory(oom, cgrp, &victim, start + WAIT_NS);
	return 1;
}

/* What would be decided now: the record to map `explanation`, and the candidates of one
 * container to map `explained`.
 */
SEC("syscall")
int explain(struct oomlet_question *q)
{
	struct oomlet_record *r, *out;
	__u32 slot = OOMLET_SLOT_EXPLAIN, zero = 0;
	struct cgroup *cgrp;
	struct scan *s;

	s = bpf_map_lookup_elem(&scans, &slot);
	r = record_start(slot);
	out = bpf_map_lookup_elem(&explanation, &zero);
	if (!s || !r || !out)
		return 0;
	q->error = -ENOENT;
	cgrp = bpf_cgroup_from_id(q->cgroup_id);
	if (!cgrp)
		return 0;
	s->slot = slot;
	s->explain_cgroup_id = q->container_cgroup_id;
	r->boottime_ns = bpf_ktime_get_boot_ns();
	if (q->by_pressure)
		r->trigger = OOMLET_TRIGGER_PRESSURE;
	choose(s, r, cgrp);
	r->decision_ns = bpf_ktime_get_boot_ns() - r->boottime_ns;
	if (!q->by_pressure)
		r->trigger = r->level == OOMLET_LEVEL_SYSTEM ? OOMLET_TRIGGER_SYSTEM : OOMLET_TRIGGER_LIMIT;
	record_limit(r, cgrp);
	record_choice(r, s);
	r->outcome = stands_aside(s, r) ? OOMLET_OUTCOME_STOOD_ASIDE : OOMLET_OUTCOME_DRY_RUN;
	bpf_cgroup_release(cgrp);
	bpf_probe_read_kernel(out, sizeof(*out), r);
	q->explained = s->explained;
	q->error = 0;
	return 0;
}

/* Only for one at a time: they share what a decision works on. */
static __u32 deciding;

/* An OOM by pressure that nobody is to die for leaves the kernel nothing to decide: it is
 * on record, and not declared. Whether it is to be declared.
 */
static __noinline bool is_for_real(struct cgroup *cgrp, const struct oomlet_pressure_limit *limit)
{
	__u32 slot = OOMLET_SLOT_PRESSURE;
	struct oomlet_record *r;
	bool known, real;
	struct scan *s;

	s = bpf_map_lookup_elem(&scans, &slot);
	r = record_start(slot);
	if (!s || !r)
		return false;
	s->slot = slot;
	s->explain_cgroup_id = 0;
	r->trigger = OOMLET_TRIGGER_PRESSURE;
	r->boottime_ns = bpf_ktime_get_boot_ns();
	known = choose(s, r, cgrp);
	r->decision_ns = bpf_ktime_get_boot_ns() - r->boottime_ns;
	record_limit(r, cgrp);
	record_choice(r, s);
	if (limit->flags & OOMLET_DRY_RUN)
		r->outcome = OOMLET_OUTCOME_DRY_RUN;
	if (!known || !s->chosen.best.rank.tgid || is_partial(s)) {
		r->outcome = OOMLET_OUTCOME_STOOD_ASIDE;
	} else if (limit->available_permille && available_permille() >= limit->available_permille) {
		r->outcome = OOMLET_OUTCOME_STOOD_ASIDE;
		r->flags |= OOMLET_MEMORY_AVAILABLE;
	}
	real = !r->outcome;
	if (!real)
		record_send(r);
	return real;
}

#endif
