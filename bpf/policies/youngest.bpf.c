// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that was started last dies: what has run for long stays.
 */
#include <oomlet/policy.bpf.h>

static __always_inline __u64 score(struct task_struct *task, __u64 rss_bytes)
{
	return task->start_boottime;
}

OOMLET_POLICY(youngest, "youngest")
