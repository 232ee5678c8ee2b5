/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_BPF_OOM_H
#define _LINUX_BPF_OOM_H

#include <linux/oom.h>
#include <linux/bpf_oom_ops.h>

struct task_struct;

/* flags of bpf_out_of_memory() */
enum bpf_oom_flags {
	BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK = 1 << 0,
	BPF_OOM_FLAGS_LAST = 1 << 1,
};

/* mm/oom_kill.c, for bpf_oom_kill_process() */
bool oom_unkillable_task(struct task_struct *p);
void oom_kill_process(struct oom_control *oc, const char *message);

#ifdef CONFIG_BPF_OOM
bool bpf_handle_oom(struct oom_control *oc);

static inline const char *bpf_oom_handler(const struct oom_control *oc)
{
	return oc->bpf_handler_name;
}
#else
static inline bool bpf_handle_oom(struct oom_control *oc)
{
	return false;
}

static inline const char *bpf_oom_handler(const struct oom_control *oc)
{
	return NULL;
}
#endif

#endif /* _LINUX_BPF_OOM_H */
