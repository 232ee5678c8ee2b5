/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes of a cgroup, for programs that may not walk over them (those that can't
 * sleep): one pass over all processes sorts them by cgroup. Nothing is allocated.
 */
#ifndef OOMLET_INDEXED_PROCESSES_BPF_H
#define OOMLET_INDEXED_PROCESSES_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

#define INDEXED_PROCESSES (1U << 15)	/* powers of 2 */
#define INDEXED_CGROUPS (1U << 14)
#define PROBES 64			/* to find a cgroup's place */
#define NO_PLACE INDEXED_CGROUPS

struct process_index {
	__u32 count;			/* processes */
	__u32 generation;
	struct indexed_cgroup {
		__u64 cgroup_id;
		__u32 generation;	/* another one: nothing is here */
		__u32 first;		/* process, from 1; 0: none */
	} cgroups[INDEXED_CGROUPS];
	struct indexed_process {
		__u32 tgid;
		__u32 next;
	} processes[INDEXED_PROCESSES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OOMLET_SLOTS);
	__type(key, __u32);
	__type(value, struct process_index);
} indexes SEC(".maps");

/* Where a cgroup is, or is to be; NO_PLACE: nowhere. Not static: see oomlet_matches(). */
__noinline int oomlet_place(struct process_index *index, __u64 cgroup_id)
{
	struct bpf_iter_num numbers;
	__u32 place = NO_PLACE, at;
	struct indexed_cgroup *c;
	int *i;

	if (!index)
		return NO_PLACE;
	bpf_iter_num_new(&numbers, 0, PROBES);
	while ((i = bpf_iter_num_next(&numbers))) {
		at = (cgroup_id + *i) & (INDEXED_CGROUPS - 1);
		c = &index->cgroups[at];
		if (c->generation != index->generation || c->cgroup_id == cgroup_id) {
			place = at;
			break;
		}
	}
	bpf_iter_num_destroy(&numbers);
	return place;
}

/* Returns 0 if there is no room for it. */
__noinline int oomlet_index(struct process_index *index, __u64 cgroup_id, __u32 tgid)
{
	struct indexed_cgroup *c;
	__u32 place, at;

	if (!index || index->count >= INDEXED_PROCESSES)
		return 0;
	place = oomlet_place(index, cgroup_id);
	if (place >= INDEXED_CGROUPS)
		return 0;
	c = &index->cgroups[place];
	if (c->generation != index->generation) {
		c->generation = index->generation;
		c->cgroup_id = cgroup_id;
		c->first = 0;
	}
	at = index->count & (INDEXED_PROCESSES - 1);
	index->processes[at].tgid = tgid;
	index->processes[at].next = c->first;
	c->first = at + 1;
	index->count++;
	return 1;
}

/* The id of the cgroup that a task's memory is charged to, if that is the one at `top` or below it; else 0. */
static __always_inline __u64 charged_below(struct task_struct *task, __u64 top, int top_level)
{
	__u64 at = bpf_core_field_offset(struct css_set, subsys) +
		   sizeof(void *) * bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = NULL;
	__u64 ancestor = 0;
	struct cgroup *cgrp;

	bpf_core_read(&set, sizeof(set), &task->cgroups);
	bpf_probe_read_kernel(&css, sizeof(css), (void *)set + at);
	cgrp = BPF_CORE_READ(css, cgroup);
	if (!cgrp || BPF_CORE_READ(cgrp, level) < top_level)
		return 0;
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
			      (void *)cgrp + bpf_core_field_offset(struct cgroup, ancestors) + sizeof(void *) * top_level);
	return ancestor == top ? BPF_CORE_READ(cgrp, kn, id) : 0;
}

/* Before processes_of() of cgroups at or below that one. Returns false if they are too many. Within an RCU section. */
static __noinline bool find_processes(__u32 slot, struct cgroup *top)
{
	struct process_index *index = bpf_map_lookup_elem(&indexes, &slot);
	struct bpf_iter_task tasks;
	struct task_struct *task;
	__u64 cgroup_id;
	bool all = true;

	if (!index)
		return false;
	index->generation++;
	index->count = 0;
	bpf_iter_task_new(&tasks, NULL, BPF_TASK_ITER_ALL_PROCS);
	while ((task = bpf_iter_task_next(&tasks))) {
		if (task->flags & PF_KTHREAD)
			continue;
		cgroup_id = charged_below(task, (__u64)top, top->level);
		if (cgroup_id && !oomlet_index(index, cgroup_id, task->tgid)) {
			all = false;
			break;
		}
	}
	bpf_iter_task_destroy(&tasks);
	return all;
}

struct processes {
	struct bpf_iter_num numbers;
	struct process_index *index;
	__u32 next;
};

/* All that are charged to this cgroup itself. Returns false if there are none; else, no_more() ends it. */
static __always_inline bool processes_of(struct processes *p, __u32 slot, struct cgroup *cgrp)
{
	__u32 place;

	p->index = bpf_map_lookup_elem(&indexes, &slot);
	if (!p->index)
		return false;
	place = oomlet_place(p->index, cgrp->kn->id);
	if (place >= INDEXED_CGROUPS || p->index->cgroups[place].generation != p->index->generation)
		return false;
	p->next = p->index->cgroups[place].first;
	bpf_iter_num_new(&p->numbers, 0, INDEXED_PROCESSES);
	return true;
}

static __always_inline struct task_struct *next_process(struct processes *p)
{
	struct task_struct *task = NULL;
	struct indexed_process *at;

	while (p->next && bpf_iter_num_next(&p->numbers)) {
		at = &p->index->processes[(p->next - 1) & (INDEXED_PROCESSES - 1)];
		p->next = at->next;
		task = bpf_task_from_pid(at->tgid);
		if (task)
			break;
	}
	return task;
}

/* For each that next_process() has returned. */
static __always_inline void done_with(struct task_struct *task)
{
	bpf_task_release(task);
}

static __always_inline void no_more(struct processes *p)
{
	bpf_iter_num_destroy(&p->numbers);
}

/* Takes a sleep: these are as they were at most 2 s before. */
static __always_inline void flush_stats(struct mem_cgroup *memcg)
{
}

#endif
