/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at every process of a memory cgroup's subtree and keeps the best victim
 * and the second best. Never a candidate: oom_score_adj -1000, no memory left
 * (kernel threads among them), already a victim.
 *
 * The rank is the policy's: score() says how much a process asks to die. Ties go
 * to the one with more resident memory, then the younger, then the higher tgid,
 * so that the same tree always gives the same victim.
 */
#ifndef OOMLET_SCAN_BPF_H
#define OOMLET_SCAN_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

#define OOMLET_PAGE_SIZE 4096ULL
#define OOM_SCORE_ADJ_MIN (-1000)

/* Defined by each policy before it includes this file */
static __u64 score(struct task_struct *task, __u64 rss_bytes);

struct rank {
	__u64 score;
	__u64 rss_bytes;
	__u64 start_boottime_ns;
	__u32 tgid;
};

/* What a scan found. Not on the stack: values read back from a map are unknown to
 * the verifier, so that its states of the loop converge. One is enough, for the
 * kernel decides about one OOM at a time (oom_lock).
 */
static struct {
	struct rank best;		/* tgid 0: none */
	struct rank runner_up;		/* tgid 0: none */
	__u32 dying;			/* tgid of an earlier OOM's victim, or 0 */
	__u32 candidates;
} found;

static __always_inline __u64 from_pages(__s64 count)
{
	/* Per-CPU parts are not summed up: a small one may be below zero */
	return count > 0 ? count * OOMLET_PAGE_SIZE : 0;
}

/* A macro: CO-RE relocates the access only if kind is a constant in the source */
#define mm_bytes(mm, kind) from_pages((mm)->rss_stat[kind].count)

static __always_inline __u64 rss_bytes(struct mm_struct *mm)
{
	return mm_bytes(mm, MM_ANONPAGES) + mm_bytes(mm, MM_FILEPAGES) + mm_bytes(mm, MM_SHMEMPAGES);
}

static __always_inline bool before(const struct rank *a, const struct rank *b)
{
	if (!b->tgid)
		return true;
	if (a->score != b->score)
		return a->score > b->score;
	if (a->rss_bytes != b->rss_bytes)
		return a->rss_bytes > b->rss_bytes;
	if (a->start_boottime_ns != b->start_boottime_ns)
		return a->start_boottime_ns > b->start_boottime_ns;
	return a->tgid > b->tgid;
}

static __always_inline void consider(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct rank rank = {};

	if (task_is_oom_victim(task)) {
		found.dying = task->tgid;
		return;
	}
	if (!mm || task->signal->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return;
	rank.rss_bytes = rss_bytes(mm);
	if (!rank.rss_bytes && !mm_bytes(mm, MM_SWAPENTS))
		return;
	rank.score = score(task, rank.rss_bytes);
	rank.start_boottime_ns = task->start_boottime;
	rank.tgid = task->tgid;
	found.candidates++;
	if (before(&rank, &found.best)) {
		found.runner_up = found.best;
		found.best = rank;
	} else if (before(&rank, &found.runner_up)) {
		found.runner_up = rank;
	}
}

/* Fills in found. memcg must be trusted. */
static __always_inline void scan(struct mem_cgroup *memcg)
{
	struct task_struct *task;
	struct cgroup_subsys_state *pos;
	struct bpf_iter_css_task tasks;
	struct bpf_iter_css cgroups;
	struct mem_cgroup *sub;

	__builtin_memset(&found, 0, sizeof(found));
	bpf_rcu_read_lock();
	bpf_iter_css_new(&cgroups, &memcg->css, BPF_CGROUP_ITER_DESCENDANTS_PRE);
	while ((pos = bpf_iter_css_next(&cgroups))) {
		sub = bpf_get_mem_cgroup(pos);
		if (!sub)
			continue;
		bpf_iter_css_task_new(&tasks, &sub->css, CSS_TASK_ITER_PROCS);
		while ((task = bpf_iter_css_task_next(&tasks)))
			consider(task);
		bpf_iter_css_task_destroy(&tasks);
		bpf_put_mem_cgroup(sub);
	}
	bpf_iter_css_destroy(&cgroups);
	bpf_rcu_read_unlock();
}

#endif
