/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kills the victim, and what is to die with it as far as the kernel does not see to
 * that itself: it honours memory.oom.group up to the cgroup that is out of memory,
 * and never leaves that one.
 */
#ifndef OOMLET_KILL_BPF_H
#define OOMLET_KILL_BPF_H

#include "kernel.bpf.h"
#include "scan.bpf.h"
#include "tier.bpf.h"

/* Kills the process of that tgid, unless somebody has already. by: as for kill_task() */
static __noinline int kill_process(oom_handle *oom, __u32 tgid, __u32 by)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	int err = -ESRCH;

	if (!task)
		return -ESRCH;
	if (!is_victim(task))
		err = kill_task(oom, task, by);
	bpf_task_release(task);
	return err;
}

/* The level of the highest cgroup with memory.oom.group between the process and the one
 * that is out of memory, which the kernel kills whole; -1: none.
 */
static __noinline int group_level(__u32 tgid, int from_level)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	int *i, level, found = -1;
	struct bpf_iter_num numbers;
	struct cgroup *own, *cgrp;

	if (!task)
		return -1;
	bpf_rcu_read_lock();
	own = task->cgroups->dfl_cgrp;
	/* Never the root */
	bpf_iter_num_new(&numbers, from_level > 0 ? from_level : 1, OOMLET_LEVELS);
	while (found < 0 && (i = bpf_iter_num_next(&numbers))) {
		level = *i;
		cgrp = bpf_cgroup_ancestor(own, level);
		if (!cgrp)
			break;
		if (memory_oom_group(cgrp))
			found = level;
		bpf_cgroup_release(cgrp);
	}
	bpf_iter_num_destroy(&numbers);
	bpf_rcu_read_unlock();
	bpf_task_release(task);
	return found;
}

/* The id of the cgroup at that level that the process is below; 0: none. */
static __noinline __u64 cgroup_at(__u32 tgid, int level)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	struct cgroup *cgrp;
	__u64 id = 0;

	if (!task)
		return 0;
	bpf_rcu_read_lock();
	cgrp = bpf_cgroup_ancestor(task->cgroups->dfl_cgrp, level);
	if (cgrp) {
		id = cgrp->kn->id;
		bpf_cgroup_release(cgrp);
	}
	bpf_rcu_read_unlock();
	bpf_task_release(task);
	return id;
}

static __noinline void list_own_victims(struct scan *s, struct cgroup *cgrp)
{
	struct processes processes;
	struct task_struct *task;

	if (!processes_of(&processes, s->slot, cgrp))
		return;
	while ((task = next_process(&processes))) {
		__u32 at = s->victim_count;

		if (at < MAX_VICTIMS && task->tgid != 1 && task->signal->oom_score_adj != OOM_SCORE_ADJ_MIN) {
			s->victims[at] = task->tgid;
			s->victim_count = at + 1;
		}
		done_with(task);
	}
	no_more(&processes);
}

static __always_inline void list_victims(struct scan *s, struct cgroup *top)
{
	struct cgroup_subsys_state *pos;
	struct bpf_iter_css cgroups;
	struct cgroup *cgrp;

	s->victim_count = 0;
	bpf_rcu_read_lock();
	find_processes(s->slot, top);
	bpf_iter_css_new(&cgroups, &top->self, BPF_CGROUP_ITER_DESCENDANTS_PRE);
	while ((pos = bpf_iter_css_next(&cgroups))) {
		if (!is_populated(pos->cgroup))
			continue;
		cgrp = bpf_cgroup_from_id(pos->cgroup->kn->id);
		if (!cgrp)
			continue;
		if (memcg_of(cgrp))
			list_own_victims(s, cgrp);
		bpf_cgroup_release(cgrp);
	}
	bpf_iter_css_destroy(&cgroups);
	bpf_rcu_read_unlock();
}

/* Kills all processes below a cgroup but the victim; returns how many. */
static __noinline __u32 kill_rest(oom_handle *oom, struct scan *s, __u64 cgroup_id, __u32 victim)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id);
	struct bpf_iter_num numbers;
	__u32 killed = 0;
	int *i;

	if (!cgrp)
		return 0;
	list_victims(s, cgrp);
	bpf_cgroup_release(cgrp);
	bpf_iter_num_new(&numbers, 0, MAX_VICTIMS);
	while ((i = bpf_iter_num_next(&numbers))) {
		__u32 at = *i;

		if (at >= s->victim_count || at >= MAX_VICTIMS)
			break;
		if (s->victims[at] != victim && !kill_process(oom, s->victims[at], WITH_VICTIM))
			killed++;
	}
	bpf_iter_num_destroy(&numbers);
	return killed;
}

#endif
