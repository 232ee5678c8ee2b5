/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How processes of a container are compared, and containers of a pod, a slice or the
 * system. Ties are broken the same way each time.
 */
#ifndef OOMLET_RANK_BPF_H
#define OOMLET_RANK_BPF_H

#include "kernel.bpf.h"
#include "answer.bpf.h"
#include "memory.bpf.h"

/* Scores with oom_score_adj may be below zero; this is their zero */
#define SCORE_ZERO (1ULL << 62)

/* Where custom policies look in: an fentry program each, that writes to map `custom`. */
__attribute__((noinline)) int oomlet_custom(__u32 slot, __u32 id, __u32 tgid)
{
	asm volatile("" : : "r"(slot), "r"(id), "r"(tgid));
	return 0;
}

/* /proc/PID/oom_score and the kernel's choice: oom_score_adj in thousandths of all there is */
static __always_inline __u64 badness(__u64 size, __s64 adj, __u64 total_bytes)
{
	return SCORE_ZERO + size + adj * (__s64)(total_bytes / 1000);
}

static __always_inline bool rank_before(const struct oomlet_rank *a, const struct oomlet_rank *b)
{
	if (!b->tgid)
		return true;
	if (a->class_ != b->class_)
		return a->class_ > b->class_;
	if (a->score != b->score)
		return a->score > b->score;
	if (a->size_bytes != b->size_bytes)
		return a->size_bytes > b->size_bytes;
	if (a->start_boottime_ns != b->start_boottime_ns)
		return a->start_boottime_ns > b->start_boottime_ns;
	return a->tgid > b->tgid;
}

/* A container, or what stands for one: the processes of a cgroup without parameters. */
struct unit {
	__u64 cgroup_id;
	__u64 usage_bytes;
	__u64 keys[OOMLET_COMPARED_KEYS];/* the higher one gives way */
	struct oomlet_candidate best;	/* rank.tgid 0: none */
	struct oomlet_candidate runner_up;
	int level;			/* what is deeper belongs to it; -1: no unit */
	int params_level;		/* of the cgroup with its parameters; -1: none */
	__u32 candidates;
	__u32 custom_missing;
	__u32 sums_up;			/* its usage is the sum of its processes' */
	__u32 known;			/* without policy: a container in it may have one */
};

/* The first key in which they differ, or OOMLET_ORDER_END. */
static __always_inline __u32 unit_difference(const struct unit *a, const struct unit *b,
					     const __u8 *order)
{
	int i;

	if (a->keys[OOMLET_ORDER_PROTECT] != b->keys[OOMLET_ORDER_PROTECT])
		return OOMLET_ORDER_PROTECT;
	if (a->keys[OOMLET_ORDER_CAUSE] != b->keys[OOMLET_ORDER_CAUSE])
		return OOMLET_ORDER_CAUSE;
	for (i = 0; i < OOMLET_ORDER_KEYS; i++) {
		__u32 key = order[i];

		if (key >= OOMLET_ORDER_KEYS)
			break;
		if (a->keys[key] != b->keys[key])
			return key;
	}
	if (a->keys[OOMLET_ORDER_USAGE] != b->keys[OOMLET_ORDER_USAGE])
		return OOMLET_ORDER_USAGE;
	return OOMLET_ORDER_YOUNGEST;
}

#endif
