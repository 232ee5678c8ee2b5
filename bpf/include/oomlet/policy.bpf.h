/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For policies of your own. A policy is one C file:
 *
 *	#include <oomlet/policy.bpf.h>
 *
 *	OOMLET_POLICY
 *	static __u64 score(struct task_struct *task, const struct oomlet_memory *memory,
 *			   bool explaining)
 *	{
 *		return memory->anon_bytes;
 *	}
 *
 * score() is asked for each process of a container with this policy that could be
 * killed; the one with the highest score is. All else is as with oomlet's own policies:
 * who is a candidate, protect and prefer, ties, the kill and its record. It runs inside
 * the kernel's OOM path: it cannot sleep, may have maps, and reads the kernel's types
 * by CO-RE (declare the members you need with __core, as kernel.bpf.h does). `explaining`:
 * somebody only asks (`oomlet explain`); what the policy remembers should stay as it is.
 *
 * Compile it with clang 16 or newer, and put it where oomlet finds it by name:
 *
 *	clang -target bpf -mcpu=v3 -g -O2 -I INCLUDE -c NAME.bpf.c -o /etc/oomlet/policies/NAME.bpf.o
 */
#ifndef OOMLET_POLICY_BPF_H
#define OOMLET_POLICY_BPF_H

#include "answer.bpf.h"
#include "kernel.bpf.h"
#include "memory.bpf.h"

static __u64 score(struct task_struct *task, const struct oomlet_memory *memory, bool explaining);

/* Set by oomlet when it loads the policy */
const volatile __u32 oomlet_policy_id SEC(".rodata.oomlet");

/* Called before oomlet_custom(slot, id, tgid), which itself does nothing: see rank.bpf.h */
#define OOMLET_POLICY								\
	char LICENSE[] SEC("license") = "GPL";					\
										\
	SEC("fentry/oomlet_custom")						\
	int oomlet_answer(unsigned long long *ctx)				\
	{									\
		return answer(ctx[0], ctx[1], ctx[2]);				\
	}

static __always_inline int answer(__u32 slot, __u32 id, __u32 tgid)
{
	struct oomlet_memory memory = {};
	struct oomlet_custom *a;
	struct task_struct *task;
	struct mm_struct *mm;

	if (id != oomlet_policy_id)
		return 0;
	a = bpf_map_lookup_elem(&custom, &slot);
	if (!a)
		return 0;
	task = bpf_task_from_pid(tgid);
	if (!task)
		return 0;
	mm = mm_of(task);
	if (mm)
		memory_of(mm, &memory);
	a->score = score(task, &memory, slot == OOMLET_SLOT_EXPLAIN);
	a->answered = 1;
	bpf_task_release(task);
	return 0;
}

#endif
