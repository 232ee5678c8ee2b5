/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a cgroup, as its memory controller counts it. Read from the kernel's
 * structures: the kfuncs for that are not in all kernels, and say the same.
 */
#ifndef OOMLET_MEMCG_BPF_H
#define OOMLET_MEMCG_BPF_H

#include "kernel.bpf.h"
#include "memory.bpf.h"

#define NO_LIMIT (~0ULL)
#define PAGE_COUNTER_MAX (0x7fffffffffffffffULL / OOMLET_PAGE_SIZE)

/* To be read from only; NULL: the cgroup has no memory controller. */
static __always_inline struct mem_cgroup *memcg_of(struct cgroup *cgrp)
{
	__u64 at = bpf_core_field_offset(struct cgroup, subsys) +
		   sizeof(void *) * bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct mem_cgroup *memcg = NULL;

	/* The css is its first member */
	bpf_probe_read_kernel(&memcg, sizeof(memcg), (void *)cgrp + at);
	return memcg;
}

static __always_inline __u64 to_bytes(unsigned long pages)
{
	return pages >= PAGE_COUNTER_MAX ? NO_LIMIT : pages * OOMLET_PAGE_SIZE;
}

/* memory.current; 0 without memory controller. Of the root: all that is in cgroups */
static __always_inline __u64 memory_current(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = memcg_of(cgrp);

	return from_pages(BPF_CORE_READ(memcg, memory.usage.counter));
}

/* memory.max in bytes, or NO_LIMIT */
static __always_inline __u64 memory_max(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = memcg_of(cgrp);

	return memcg ? to_bytes(BPF_CORE_READ(memcg, memory.max)) : NO_LIMIT;
}

static __always_inline __u64 memory_high(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = memcg_of(cgrp);

	return memcg ? to_bytes(BPF_CORE_READ(memcg, memory.high)) : NO_LIMIT;
}

static __always_inline __u64 memory_swap_max(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = memcg_of(cgrp);

	return memcg ? to_bytes(BPF_CORE_READ(memcg, swap.max)) : NO_LIMIT;
}

static __always_inline bool memory_oom_group(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = memcg_of(cgrp);

	return BPF_CORE_READ(memcg, oom_group);
}

/* Part of memory.stat in bytes; 0 also where the kernel does not tell. item: the name of an enumerator, for CO-RE */
#define memory_stat(memcg, type, item) \
	(bpf_mem_cgroup_page_state ? page_state(memcg, bpf_core_enum_value(enum type, item)) : 0)

static __noinline __u64 page_state(struct mem_cgroup *memcg, int item)
{
	unsigned long bytes = bpf_mem_cgroup_page_state(memcg, item);

	return bytes == ~0UL ? 0 : bytes;
}

#endif
