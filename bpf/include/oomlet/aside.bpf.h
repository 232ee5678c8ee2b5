/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OOMs that nobody was killed for by oomlet. The kernel asks again at once, in the policies
 * further up and, where it finds nobody either, in a loop: what has been said of a cgroup
 * is said again after a second, with how often it would have been.
 */
#ifndef OOMLET_ASIDE_BPF_H
#define OOMLET_ASIDE_BPF_H

#include "kernel.bpf.h"
#include "dying.bpf.h"

#define ASIDES 64U		/* cgroups at a time; a power of 2 */
#define ASIDE_NS 1000000000ULL

struct aside {
	__u64 cgroup_id;	/* 0: none */
	__u64 recorded_at_ns;
	__u32 outcome;
	__u32 victims;		/* noted by then: it is another OOM if there are more */
	__u32 repeats;		/* not recorded, since then */
	__u32 pad;
};

/* Changed under the kernel's oom_lock only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ASIDES);
	__type(key, __u32);
	__type(value, struct aside);
} asides SEC(".maps");

/* Whether the record says what the last one of its cgroup said, just now; else it gets how often that
 * has been left out meanwhile.
 */
static __noinline bool is_said_already(struct oomlet_record *r)
{
	__u32 at = r->limit_cgroup_id % ASIDES;
	struct aside *a = bpf_map_lookup_elem(&asides, &at);

	if (!a)
		return false;
	if (a->cgroup_id == r->limit_cgroup_id && a->outcome == r->outcome && a->victims == victims_noted()) {
		if (r->boottime_ns - a->recorded_at_ns < ASIDE_NS) {
			a->repeats++;
			return true;
		}
		r->repeats = a->repeats;
	}
	a->cgroup_id = r->limit_cgroup_id;
	a->outcome = r->outcome;
	a->victims = victims_noted();
	a->recorded_at_ns = r->boottime_ns;
	a->repeats = 0;
	return false;
}

#endif
