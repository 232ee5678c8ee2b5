/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a process, counted as the kernel's OOM killer does (oom_badness()).
 */
#ifndef OOMLET_MEMORY_BPF_H
#define OOMLET_MEMORY_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

#define OOMLET_PAGE_SIZE 4096ULL

static __always_inline __u64 from_pages(__s64 count)
{
	/* Per-CPU parts are not summed up: a small one may be below zero */
	return count > 0 ? count * OOMLET_PAGE_SIZE : 0;
}

/* A macro: CO-RE relocates the access only if kind is a constant in the source */
#define mm_bytes(mm, kind) from_pages((mm)->rss_stat[kind].count)

static __always_inline void memory_of(struct mm_struct *mm, struct oomlet_memory *m)
{
	m->anon_bytes = mm_bytes(mm, MM_ANONPAGES);
	m->file_bytes = mm_bytes(mm, MM_FILEPAGES);
	m->shmem_bytes = mm_bytes(mm, MM_SHMEMPAGES);
	m->swap_bytes = mm_bytes(mm, MM_SWAPENTS);
	m->pgtables_bytes = mm->pgtables_bytes.counter;
}

static __always_inline __u64 rss_bytes(const struct oomlet_memory *m)
{
	return m->anon_bytes + m->file_bytes + m->shmem_bytes;
}

/* The kernel's measure, without oom_score_adj */
static __always_inline __u64 size_bytes(const struct oomlet_memory *m)
{
	return rss_bytes(m) + m->swap_bytes + m->pgtables_bytes;
}

/* The address space of a process; of another of its threads if the leader has exited already,
 * whose id is then in *pid. NULL: it has none (any more). In an RCU read-side critical section.
 */
static __noinline struct mm_struct *mm_and_thread(struct task_struct *task, __u32 *pid)
{
	struct mm_struct *mm = task->mm;
	struct bpf_iter_task threads;
	struct task_struct *thread;

	*pid = task->pid;
	if (mm || task->signal->live.counter <= 0)
		return mm;
	bpf_iter_task_new(&threads, task, BPF_TASK_ITER_PROC_THREADS);
	while ((thread = bpf_iter_task_next(&threads))) {
		mm = thread->mm;
		if (mm) {
			*pid = thread->pid;
			break;
		}
	}
	bpf_iter_task_destroy(&threads);
	return mm;
}

static __always_inline struct mm_struct *mm_of(struct task_struct *task)
{
	__u32 pid;

	return mm_and_thread(task, &pid);
}

#endif
