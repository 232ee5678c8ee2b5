/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The latest victims of any OOM, and waiting for those that are not gone yet: while
 * one is dying, nobody else is killed in its place. What "dying" means is judged here:
 * the kernel says "memory is being freed" of the dead and the hopeless as well, and who
 * believes that waits for ever.
 */
#ifndef OOMLET_DYING_BPF_H
#define OOMLET_DYING_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "memcg.bpf.h"
#include "tier.bpf.h"

#define DYING 64U		/* the latest so many; a power of 2 */
#define HOPELESS_NS 5000000000ULL
#define ENDING_NS 100000000ULL

/* Changed and read under the kernel's oom_lock only. */
struct dying {
	__u32 next;
	__u32 pad;
	struct victim victims[DYING];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dying);
} dying SEC(".maps");

/* A walk over tasks does not show a victim to its end: it loses a process with its last
 * thread's exit, before the memory is given back. So the victims are noted as the kernel
 * marks them, its own and those of memory.oom.group as well.
 */
static __noinline void note(struct task_struct *task)
{
	__u32 zero = 0, at;
	struct dying *d = bpf_map_lookup_elem(&dying, &zero);
	struct oomlet_memory memory = {};
	struct mm_struct *mm = task->mm;

	if (!d)
		return;
	if (mm)
		memory_of(mm, &memory);
	at = __sync_fetch_and_add(&d->next, 1) % DYING;
	d->victims[at].tgid = task->tgid;
	d->victims[at].start_boottime_ns = task->group_leader->start_boottime;
	d->victims[at].noted_at_ns = bpf_ktime_get_boot_ns();
	d->victims[at].size_bytes = rss_bytes(&memory);
}

SEC("tp_btf/mark_victim")
int note_victim(unsigned long long *ctx)
{
	note((struct task_struct *)ctx[0]);
	return 0;
}

/* How many have been noted: the same number as before means that nobody was killed meanwhile. */
static __always_inline __u32 victims_noted(void)
{
	__u32 zero = 0;
	struct dying *d = bpf_map_lookup_elem(&dying, &zero);

	return d ? d->next : 0;
}

/* Whether all of the process has exited, its leader last: what it had is given back, also if its
 * parent does not take note of its death.
 */
static __always_inline bool is_dead(struct task_struct *task)
{
	return task->exit_state && task->signal->nr_threads <= 1;
}

/* The same of a victim, or there is no such process any more. */
static __always_inline bool is_gone(const struct victim *v)
{
	struct task_struct *task = bpf_task_from_pid(v->tgid);
	bool gone = !task || task->start_boottime != v->start_boottime_ns || is_dead(task);

	if (task)
		bpf_task_release(task);
	return gone;
}

/* Whether the task is, or was to its end, in the cgroup of that id and level, or below. */
static __always_inline bool is_below(struct task_struct *task, __u64 cgroup_id, int level)
{
	struct cgroup *cgrp;
	bool below = false;

	bpf_rcu_read_lock();
	cgrp = bpf_cgroup_ancestor(task->cgroups->dfl_cgrp, level);
	if (cgrp) {
		below = cgrp->kn->id == cgroup_id;
		bpf_cgroup_release(cgrp);
	}
	bpf_rcu_read_unlock();
	return below;
}

enum victim_state { VICTIM_FORGET, VICTIM_ELSEWHERE, VICTIM_DYING, VICTIM_ENDING };

static __noinline int state_of(oom_handle *oom, struct cgroup *cgrp, const struct victim *v)
{
	struct task_struct *task = bpf_task_from_pid(v->tgid);
	int state = VICTIM_FORGET;
	struct mm_struct *mm;
	bool alive;

	if (!task)
		return VICTIM_FORGET;
	mm = task->signal->oom_mm;
	if (task->start_boottime == v->start_boottime_ns && is_victim(task)) {
		alive = !(mm && is_reaped(mm)) && !is_dead(task) && bpf_ktime_get_boot_ns() - v->noted_at_ns < HOPELESS_NS;
		if (is_below(task, cgrp->kn->id, cgrp->level))
			state = alive ? VICTIM_DYING : VICTIM_ENDING;
		else
			state = alive ? VICTIM_ELSEWHERE : VICTIM_FORGET;
	}
	if (state == VICTIM_DYING)
		tell_of(oom, task);
	bpf_task_release(task);
	return state;
}

/* Whether what could not be charged can be now. */
static __always_inline bool has_room(oom_handle *oom, struct cgroup *cgrp)
{
	__u64 max = memory_max(cgrp), wanted = OOMLET_PAGE_SIZE * ROOM_PAGES + (OOMLET_PAGE_SIZE << (oom->order & 15));

	return max != NO_LIMIT && memory_current(cgrp) + wanted <= max;
}

/* Waits for one that no longer counts, should it be at its end. True if it has ended, and left enough: the
 * kernel looked before that, and has been told.
 */
static __noinline bool has_left_enough(oom_handle *oom, struct cgroup *cgrp, const struct victim *v,
				       __u64 until_ns)
{
	struct task_struct *task = bpf_task_from_pid(v->tgid);
	__u64 now = bpf_ktime_get_boot_ns();
	bool left = false;

	if (!task)
		return false;
	/* Nothing more is to come of one that has been reaped */
	wait_for_memory(oom, cgrp, v, now + ENDING_NS < until_ns ? now + ENDING_NS : until_ns);
	if (is_dead(task) && has_room(oom, cgrp)) {
		tell_of(oom, task);
		left = true;
	}
	bpf_task_release(task);
	return left;
}

/* Whether an earlier victim here is still dying: if so, it has been waited for. Or has just ended. One
 * that no longer counts is forgotten.
 */
static __noinline bool waited_for_victim(oom_handle *oom, struct cgroup *cgrp, __u64 until_ns)
{
	struct bpf_iter_num numbers;
	int *i, state = VICTIM_FORGET;
	bool waited = false;
	struct victim *v;
	__u32 zero = 0;
	struct dying *d;

	d = bpf_map_lookup_elem(&dying, &zero);
	if (!d)
		return false;
	bpf_iter_num_new(&numbers, 0, DYING);
	while (!waited && (i = bpf_iter_num_next(&numbers))) {
		v = &d->victims[(__u32)*i % DYING];
		if (!v->tgid)
			continue;
		state = state_of(oom, cgrp, v);
		if (state == VICTIM_DYING) {
			wait_for_memory(oom, cgrp, v, until_ns);
			waited = true;
		} else if (state == VICTIM_ENDING) {
			waited = has_left_enough(oom, cgrp, v, until_ns);
			v->tgid = 0;
		} else if (state == VICTIM_FORGET) {
			v->tgid = 0;
		}
	}
	bpf_iter_num_destroy(&numbers);
	return waited;
}

#endif
