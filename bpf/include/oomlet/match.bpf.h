/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which processes `protect` and `prefer` mean.
 */
#ifndef OOMLET_MATCH_BPF_H
#define OOMLET_MATCH_BPF_H

#include "kernel.bpf.h"
#include "memory.bpf.h"
#include "oomlet_abi.h"

/* All states of the match at once, a bit each: see struct oomlet_pattern. Not static, so
 * that the verifier looks at it once and not at each call.
 */
__noinline int oomlet_matches(const struct oomlet_pattern *p, const struct oomlet_process *process)
{
	__u32 state = 1, equal, difference;
	int i, j;

	if (!p || !process)
		return 0;
	for (i = 0; i < OOMLET_COMM_SIZE - 1 && process->comm[i]; i++) {
		equal = 0;
#pragma unroll
		for (j = 0; j < OOMLET_COMM_SIZE; j++) {
			/* No branches, which the verifier would take both ways each */
			difference = (__u8)(p->literals[j] ^ process->comm[i]);
			equal |= (difference - 1) >> 31 << j;
		}
		state = ((state & equal) << 1) | (state & p->stars);
		if (!state)
			return 0;
	}
	return !!(state & p->accept);
}

static __always_inline bool matches_any(const struct oomlet_pattern *patterns, __u32 count,
						const struct oomlet_process *process)
{
	int i;

	for (i = 0; i < OOMLET_PATTERNS && i < count; i++)
		if (oomlet_matches(&patterns[i], process))
			return true;
	return false;
}

/* Whether it is the container's PID 1: by the PID namespace that is its own, or by the
 * process the runtime started where the container shares one.
 */
static __always_inline bool is_init(const struct oomlet_params *p, struct task_struct *task)
{
	struct pid *pid = task->thread_pid;
	struct pid_namespace *ns = NULL;
	unsigned int inum = 0;
	const void *at;
	int nr = 0;

	if (!p->init_pid_namespace)
		return p->init_tgid && task->tgid == p->init_tgid;
	if (!pid)
		return false;
	at = (const void *)__builtin_preserve_access_index(&pid->numbers[0]) +
	     pid->level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), at + bpf_core_field_offset(struct upid, nr));
	bpf_probe_read_kernel(&ns, sizeof(ns), at + bpf_core_field_offset(struct upid, ns));
	if (nr != 1 || !ns)
		return false;
	bpf_core_read(&inum, sizeof(inum), &ns->ns.inum);
	return inum == p->init_pid_namespace;
}

static __always_inline __u64 class_of(const struct oomlet_params *p, const struct oomlet_process *process,
				      bool init)
{
	if ((init && (p->flags & OOMLET_PROTECT_INIT)) ||
	    matches_any(p->protect, p->protect_count, process))
		return OOMLET_CLASS_PROTECTED;
	if (rss_bytes(&process->memory) < p->min_size_bytes)
		return OOMLET_CLASS_SMALL;
	if ((init && (p->flags & OOMLET_PREFER_INIT)) ||
	    matches_any(p->prefer, p->prefer_count, process))
		return OOMLET_CLASS_PREFERRED;
	return OOMLET_CLASS_PLAIN;
}

#endif
