/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_BPF_OOM_OPS_H
#define _LINUX_BPF_OOM_OPS_H

struct cgroup;
struct oom_control;

/**
 * struct bpf_oom_ops - an OOM policy for a cgroup and everything below it
 * @handle_out_of_memory: called with oom_lock held when a memory cgroup of the
 *	subtree (or the system, for the root cgroup) is out of memory. May
 *	sleep. Non-zero, and a kfunc that frees memory called: it is handled.
 *	The cgroup is the one the policy is attached to.
 * @name: for the kernel's log
 */
struct bpf_oom_ops {
	int (*handle_out_of_memory)(struct oom_control *oc, struct cgroup *cgrp);
	char name[64];
};

#endif /* _LINUX_BPF_OOM_OPS_H */
