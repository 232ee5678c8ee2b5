/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls it an OOM when the tasks of a cgroup, or of the system, stall for want of memory
 * for too long a share of the time. The kernel's averages lag behind, and stay high when
 * the stall is over; so this compares the totals of stalls.
 */
#ifndef OOMLET_PRESSURE_BPF_H
#define OOMLET_PRESSURE_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "memcg.bpf.h"

#define SAMPLES_A_WINDOW 16

static __always_inline void start_over(struct oomlet_stall *stall, const struct oomlet_pressure_limit *limit)
{
	stall->kind = limit->kind;
	stall->window_ns = limit->window_ns;
	stall->since_ns = 0;
	stall->samples = 0;
	stall->permille = 0;
}

static __always_inline void sample(struct oomlet_stall *stall, __u64 now, __u64 total)
{
	__u32 at = stall->samples % OOMLET_STALL_SAMPLES;
	__u32 latest = (stall->samples + OOMLET_STALL_SAMPLES - 1) % OOMLET_STALL_SAMPLES;

	if (stall->samples && now - stall->sampled_at_ns[latest] < stall->window_ns / SAMPLES_A_WINDOW)
		return;
	stall->sampled_at_ns[at] = now;
	stall->sampled_total_ns[at] = total;
	stall->samples++;
}

/* How much of the window was stall, by the latest sample that is as old as the window, or
 * the oldest there is: before that, there was none. Nobody looks while all are idle: a
 * sample from before such a time says nothing of how long ago its stall was.
 */
static __always_inline __u32 share_of_window(const struct oomlet_stall *stall, __u64 now, __u64 total)
{
	__u64 age = 0, span = stall->window_ns, stalled;
	struct bpf_iter_num numbers;
	__u32 from = 0;
	int *i;

	if (!stall->samples)
		return 0;
	bpf_iter_num_new(&numbers, 1, OOMLET_STALL_SAMPLES + 1);
	while ((i = bpf_iter_num_next(&numbers))) {
		__u32 back = *i;

		if (back > stall->samples)
			break;
		from = (stall->samples - back) % OOMLET_STALL_SAMPLES;
		age = now - stall->sampled_at_ns[from];
		if (age >= stall->window_ns)
			break;
	}
	bpf_iter_num_destroy(&numbers);
	if (age > span && age <= 2 * span)
		span = age;
	stalled = (total - stall->sampled_total_ns[from % OOMLET_STALL_SAMPLES]) * 1000 / (span ? span : 1);
	return stalled > 1000 ? 1000 : stalled;
}

/* Takes in how it is now. Whether that is an OOM. */
static __always_inline bool look(struct oomlet_stall *stall, const struct oomlet_pressure_limit *limit, __u64 total)
{
	__u64 now = bpf_ktime_get_boot_ns(), elapsed = now - stall->looked_at_ns, recent;
	bool over;

	if (stall->kind != limit->kind || stall->window_ns != limit->window_ns || total < stall->total_ns) {
		start_over(stall, limit);
		elapsed = 0;
	}
	recent = elapsed ? (total - stall->total_ns) * 1000 / elapsed : 0;
	stall->looked_at_ns = now;
	stall->total_ns = total;
	stall->permille = share_of_window(stall, now, total);
	sample(stall, now, total);

	/* Still going on: what is over by itself costs nobody's life */
	over = stall->permille >= limit->permille && recent * 2 >= limit->permille;
	if (!over) {
		stall->since_ns = 0;
		return false;
	}
	if (!stall->since_ns)
		stall->since_ns = now;
	if (now - stall->since_ns < limit->for_ns)
		return false;
	if (stall->declared_at_ns && now - stall->declared_at_ns < limit->cooldown_ns)
		return false;
	stall->held_ns = now - stall->since_ns;
	stall->declared_at_ns = now;
	stall->declared++;
	stall->since_ns = 0;
	return true;
}

/* Of RAM, what could be had without taking it from anybody who uses it: neither anonymous
 * and shared memory nor the kernel's, nor files that are read again and again.
 */
static __always_inline __u32 available_permille(void)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(ROOT_CGROUP_ID);
	struct oomlet_state *shared = shared_state();
	struct mem_cgroup *root;
	__u64 used = 0;

	root = bpf_get_mem_cgroup && cgrp ? bpf_get_mem_cgroup(&cgrp->self) : NULL;
	if (root) {
		flush_stats(root);
		used = memory_stat(root, node_stat_item, NR_ANON_MAPPED) + memory_stat(root, node_stat_item, NR_SHMEM) +
		       memory_stat(root, node_stat_item, NR_ACTIVE_FILE) +
		       memory_stat(root, node_stat_item, NR_SLAB_UNRECLAIMABLE_B) +
		       memory_stat(root, node_stat_item, NR_KERNEL_STACK_KB) + memory_stat(root, node_stat_item, NR_PAGETABLE);
		bpf_put_mem_cgroup(root);
	}
	if (cgrp)
		bpf_cgroup_release(cgrp);
	if (!root)
		return 1000;
	if (!shared || !shared->ram_bytes)
		return 1000;
	return used >= shared->ram_bytes ? 0 : (shared->ram_bytes - used) / (shared->ram_bytes / 1000 + 1);
}

#endif
