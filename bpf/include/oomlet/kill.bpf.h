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

#define ENOENT 2
#define ESRCH 3

MESSAGE(message_kernel, "kernel");
MESSAGE(message_largest_rss, "largest-rss");
MESSAGE(message_largest_memory, "largest-memory");
MESSAGE(message_largest_anon, "largest-anon");
MESSAGE(message_largest_shmem, "largest-shmem");
MESSAGE(message_youngest, "youngest");
MESSAGE(message_oldest, "oldest");
MESSAGE(message_highest_oom_score, "highest-oom-score");
MESSAGE(message_custom, "custom policy");

MESSAGE(message_with_victim, "with the victim");

/* The kernel says 0 of the dead, too: whether the process has become a victim is seen in it. */
static __always_inline int result_of_kill(struct task_struct *task, int err)
{
	return err ? err : task_is_oom_victim(task) ? 0 : -ESRCH;
}

/* Kills the process of that tgid, unless somebody has already. */
static __noinline int kill_other(struct oom_control *oc, __u32 tgid)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	int err = -ESRCH;

	if (!task)
		return -ESRCH;
	if (!task_is_oom_victim(task))
		err = result_of_kill(task, bpf_oom_kill_process(oc, task, message_with_victim));
	bpf_task_release(task);
	return err;
}

static __noinline int kill_victim(struct oom_control *oc, __u32 tgid, __u32 rule)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	int err;

	if (!task)
		return -ESRCH;
	switch (rule) {
	case OOMLET_VICTIM_LARGEST_RSS:
		err = bpf_oom_kill_process(oc, task, message_largest_rss);
		break;
	case OOMLET_VICTIM_LARGEST_MEMORY:
		err = bpf_oom_kill_process(oc, task, message_largest_memory);
		break;
	case OOMLET_VICTIM_LARGEST_ANON:
		err = bpf_oom_kill_process(oc, task, message_largest_anon);
		break;
	case OOMLET_VICTIM_LARGEST_SHMEM:
		err = bpf_oom_kill_process(oc, task, message_largest_shmem);
		break;
	case OOMLET_VICTIM_YOUNGEST:
		err = bpf_oom_kill_process(oc, task, message_youngest);
		break;
	case OOMLET_VICTIM_OLDEST:
		err = bpf_oom_kill_process(oc, task, message_oldest);
		break;
	case OOMLET_VICTIM_HIGHEST_OOM_SCORE:
		err = bpf_oom_kill_process(oc, task, message_highest_oom_score);
		break;
	case OOMLET_VICTIM_CUSTOM:
		err = bpf_oom_kill_process(oc, task, message_custom);
		break;
	default:
		err = bpf_oom_kill_process(oc, task, message_kernel);
	}
	err = result_of_kill(task, err);
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
	struct mem_cgroup *memcg;
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
		memcg = bpf_get_mem_cgroup(&cgrp->self);
		if (memcg) {
			if (memcg->oom_group)
				found = level;
			bpf_put_mem_cgroup(memcg);
		}
		bpf_cgroup_release(cgrp);
	}
	bpf_iter_num_destroy(&numbers);
	bpf_rcu_read_unlock();
	bpf_task_release(task);
	return found;
}

/* Lists all processes below a cgroup. */
static __always_inline void list_victims(struct scan *s, struct cgroup *cgrp)
{
	struct cgroup_subsys_state *pos;
	struct bpf_iter_css_task tasks;
	struct mem_cgroup *top, *sub;
	struct bpf_iter_css cgroups;
	struct task_struct *task;

	s->victim_count = 0;
	top = bpf_get_mem_cgroup(&cgrp->self);
	if (!top)
		return;
	bpf_rcu_read_lock();
	bpf_iter_css_new(&cgroups, &top->css, BPF_CGROUP_ITER_DESCENDANTS_PRE);
	while ((pos = bpf_iter_css_next(&cgroups))) {
		if (!is_populated(pos->cgroup))
			continue;
		sub = bpf_get_mem_cgroup(pos);
		if (!sub)
			continue;
		bpf_iter_css_task_new(&tasks, &sub->css, CSS_TASK_ITER_PROCS);
		while ((task = bpf_iter_css_task_next(&tasks))) {
			__u32 at = s->victim_count;

			if (at >= MAX_VICTIMS)
				break;
			if (task->tgid == 1 || task->signal->oom_score_adj == OOM_SCORE_ADJ_MIN)
				continue;
			s->victims[at] = task->tgid;
			s->victim_count = at + 1;
		}
		bpf_iter_css_task_destroy(&tasks);
		bpf_put_mem_cgroup(sub);
	}
	bpf_iter_css_destroy(&cgroups);
	bpf_rcu_read_unlock();
	bpf_put_mem_cgroup(top);
}

/* Kills all processes below a cgroup but the victim; returns how many. */
static __noinline __u32 kill_rest(struct oom_control *oc, struct scan *s, __u64 cgroup_id, __u32 victim)
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
		if (s->victims[at] != victim && !kill_other(oc, s->victims[at]))
			killed++;
	}
	bpf_iter_num_destroy(&numbers);
	return killed;
}

#endif
