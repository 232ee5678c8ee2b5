// SPDX-License-Identifier: GPL-2.0-only
/*
 * growth: kills the process whose memory has grown most since the last OOM that it lived
 * through. One that has seen none has grown by all it has. What holds much memory, but
 * has held it all along, stays.
 */
#include <oomlet/policy.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} seen SEC(".maps");

OOMLET_POLICY
static __u64 score(struct task_struct *task, const struct oomlet_memory *memory, bool explaining)
{
	__u64 now = rss_bytes(memory) + memory->swap_bytes, grown = now;
	__u64 *before = bpf_task_storage_get(&seen, task, NULL,
					     explaining ? 0 : BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (before) {
		grown = now > *before ? now - *before : 0;
		if (!explaining)
			*before = now;
	}
	return grown;
}
