/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes of a cgroup, for programs that may walk over them as the kernel does
 * (css_task iterator): those that may sleep.
 */
#ifndef OOMLET_CSS_PROCESSES_BPF_H
#define OOMLET_CSS_PROCESSES_BPF_H

#include "kernel.bpf.h"

struct processes {
	struct mem_cgroup *memcg;
	struct bpf_iter_css_task tasks;
};

/* Before processes_of() of cgroups at or below that one. Returns false if they are too many. */
static __always_inline bool find_processes(__u32 slot, struct cgroup *top)
{
	return true;
}

/* All that are charged to this cgroup itself. Returns false if there are none; else, no_more() ends it. */
static __always_inline bool processes_of(struct processes *p, __u32 slot, struct cgroup *cgrp)
{
	p->memcg = bpf_get_mem_cgroup(&cgrp->self);
	if (!p->memcg)
		return false;
	bpf_iter_css_task_new(&p->tasks, &p->memcg->css, CSS_TASK_ITER_PROCS);
	return true;
}

static __always_inline struct task_struct *next_process(struct processes *p)
{
	return bpf_iter_css_task_next(&p->tasks);
}

/* For each that next_process() has returned. */
static __always_inline void done_with(struct task_struct *task)
{
}

static __always_inline void no_more(struct processes *p)
{
	bpf_iter_css_task_destroy(&p->tasks);
	bpf_put_mem_cgroup(p->memcg);
}

static __always_inline void flush_stats(struct mem_cgroup *memcg)
{
	bpf_mem_cgroup_flush_stats(memcg);
}

#endif
