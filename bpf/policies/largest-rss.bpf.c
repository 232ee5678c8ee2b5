// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process with the most resident memory (anonymous, file and shared) dies.
 */
#include <oomlet/policy.bpf.h>

static __always_inline __u64 score(struct task_struct *task, __u64 rss_bytes)
{
	return rss_bytes;
}

OOMLET_POLICY(largest_rss, "largest-rss")
