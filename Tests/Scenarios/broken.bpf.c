// SPDX-License-Identifier: GPL-2.0-only
/* A policy that the verifier refuses: it reads memory that is not its own. */
#include <oomlet/policy.bpf.h>

OOMLET_POLICY
static __u64 score(struct task_struct *task, const struct oomlet_memory *memory, bool explaining)
{
	return *(volatile __u64 *)(memory->anon_bytes);
}
