/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who causes a pressure. A container may stall a lot because others take the memory, and
 * its death would not help: where memory is short it takes one that has some of it. Where
 * there is memory, whoever is short of it is so by a limit of its own.
 */
#ifndef OOMLET_CAUSE_BPF_H
#define OOMLET_CAUSE_BPF_H

#include "kernel.bpf.h"
#include "memcg.bpf.h"

#define SHARE_OF_CAUSE 16		/* what has less than a sixteenth of all does not cause it */

struct shortage {
	__u32 declared;			/* the OOM is one of pressure */
	__u32 is_short;			/* the cgroup itself, or the system, is at its limit */
	__u64 usage_bytes;
};

/* Whether it is at its limit, memory.max or memory.high, or close to it. */
static __always_inline bool is_at_limit(struct cgroup *cgrp, __u64 usage_bytes)
{
	__u64 limit = memory_max(cgrp), high = memory_high(cgrp);

	limit = high < limit ? high : limit;
	return limit != NO_LIMIT && usage_bytes >= limit - limit / 10;
}

static __always_inline void find_shortage(struct shortage *shortage, struct cgroup *cgrp, bool whole_system)
{
	shortage->usage_bytes = memory_current(cgrp);
	shortage->is_short = whole_system || is_at_limit(cgrp, shortage->usage_bytes);
}

/* The higher, the more. */
static __always_inline __u64 cause_of(const struct shortage *shortage, struct cgroup *cgrp, __u64 usage_bytes)
{
	struct psi_group *psi;

	if (shortage->is_short)
		return usage_bytes >= shortage->usage_bytes / SHARE_OF_CAUSE;
	if (!is_at_limit(cgrp, usage_bytes))
		return 0;
	psi = cgrp->psi;
	return psi ? psi->avg[PSI_MEM_SOME * PSI_AVERAGES] : 0;
}

#endif
