/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs from kernel to kernel: how a kill is done, and how its effect is waited
 * for. Each tier's file defines this, and what an oom_handle is: what the tier has of the
 * OOM that it handles, with the `order` of what is wanted (2^order pages).
 */
#ifndef OOMLET_TIER_BPF_H
#define OOMLET_TIER_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

#define ENOENT 2
#define ESRCH 3

/* A process that has been chosen, by oomlet or the kernel. */
struct victim {
	__u64 start_boottime_ns;
	__u64 noted_at_ns;
	__u64 size_bytes;	/* then */
	__u32 tgid;		/* 0: none */
	__u32 pad;
};

enum { WITH_VICTIM = 0xffff };

/* Leaves the kill to the kernel, who chooses the same: true if it will be on record when the kernel has done it. */
static bool leave_to_kernel(oom_handle *oom, __u32 tgid);

/* A tier defines as well:
 *	TIER			enum oomlet_tier
 *	KILL_FLAGS		enum oomlet_record_flags of what it has killed
 *	WAIT_NS			how long a decision waits at most
 *	ROOM_PAGES		what makes an OOM none, beyond what is wanted
 *	KILLS_GROUPS		1: a kill takes along all below the topmost memory.oom.group, as the kernel's own
 */

/* Kills a process that is_victim() says no of. by: enum oomlet_victim, or WITH_VICTIM. 0, or a negative errno */
static int kill_task(oom_handle *oom, struct task_struct *task, __u32 by);

/* Whether it has been chosen, be it dying or dead. */
static bool is_victim(struct task_struct *task);

/* Tells the kernel that memory is on its way. */
static void tell_of(oom_handle *oom, struct task_struct *victim);

/* Waits until the victim is gone, or what is out of memory has some. */
static void wait_for_memory(oom_handle *oom, struct cgroup *cgrp, const struct victim *victim, __u64 until_ns);

#endif
