/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes records of decisions: what was asked, who was chosen, what came of it.
 */
#ifndef OOMLET_RECORD_BPF_H
#define OOMLET_RECORD_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "scan.bpf.h"

#define OOMLET_PATH_LEVELS 32

static __always_inline struct oomlet_record *record_reserve(void)
{
	struct oomlet_record *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	struct oomlet_state *s;
	__u32 zero = 0, i;

	if (r) {
		/* volatile: or clang makes it a memset(), which BPF has not at this size */
		for (i = 0; i < sizeof(*r) / sizeof(__u64); i++)
			((volatile __u64 *)r)[i] = 0;
		r->abi_version = OOMLET_ABI_VERSION;
		return r;
	}
	s = bpf_map_lookup_elem(&state, &zero);
	if (s)
		__sync_fetch_and_add(&s->records_lost, 1);
	return NULL;
}

static __always_inline void record_process(struct oomlet_process *p, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	p->tgid = task->tgid;
	p->uid = task->cred->uid.val;
	p->oom_score_adj = task->signal->oom_score_adj;
	p->start_boottime_ns = task->start_boottime;
	bpf_probe_read_kernel_str(p->comm, sizeof(p->comm), task->comm);
	if (!mm)
		return;
	p->memory.anon_bytes = mm_bytes(mm, MM_ANONPAGES);
	p->memory.file_bytes = mm_bytes(mm, MM_FILEPAGES);
	p->memory.shmem_bytes = mm_bytes(mm, MM_SHMEMPAGES);
	p->memory.swap_bytes = mm_bytes(mm, MM_SWAPENTS);
	p->memory.pgtables_bytes = mm->pgtables_bytes.counter;
}

/* The cgroup's path from the root of the hierarchy: "/a/b", "/" for the root.
 * What does not fit is missing at its end, which the record shows as an
 * unterminated path would: full up to the last byte.
 */
static __always_inline void record_path(char path[OOMLET_PATH_SIZE], struct cgroup *cgrp)
{
	__u32 at = 0;
	int i, level = cgrp->level;

	path[0] = '/';
	for (i = 1; i < OOMLET_PATH_LEVELS && i <= level; i++) {
		struct cgroup *ancestor = NULL;
		const char *name = NULL;
		struct kernfs_node *kn = NULL;
		long n;

		bpf_core_read(&ancestor, sizeof(ancestor), &cgrp->ancestors[i]);
		if (!ancestor)
			return;
		bpf_core_read(&kn, sizeof(kn), &ancestor->kn);
		bpf_core_read(&name, sizeof(name), &kn->name);
		if (at >= OOMLET_PATH_SIZE - 256 - 1)
			return;
		path[at] = '/';
		n = bpf_probe_read_kernel_str(&path[at + 1], 256, name);
		if (n <= 0 || n > 256)
			return;
		at += n;
	}
}

#endif
