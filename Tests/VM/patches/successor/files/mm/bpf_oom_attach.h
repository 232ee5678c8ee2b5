/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies attached like other programs of a cgroup.  A part of bpf_oom.c.
 */

#include <linux/bpf-cgroup.h>

#define BPF_OOM_ATTACHED cgroup

static bool bpf_oom_ask_one(void *ops, struct cgroup *cgrp, void *oc)
{
	return bpf_oom_ask(ops, oc, cgrp);
}

/**
 * bpf_handle_oom - let policies handle an OOM
 * @oc: what is out of memory
 *
 * Asks all policies in effect for the cgroup that is out of memory, for an OOM of
 * the system those of the root. Called with oom_lock held.
 *
 * Return: true if one of them handled it.
 */
bool bpf_handle_oom(struct oom_control *oc)
{
	struct mem_cgroup *memcg = oc->memcg ?: root_mem_cgroup;

	return memcg && cgroup_struct_ops_any(memcg->css.cgroup, CGROUP_OOM_OPS,
					      bpf_oom_ask_one, oc);
}

#define BPF_OOM_ATTACH_OPS			\
	.cgroup_atype = CGROUP_OOM_OPS,		\
	.free_after_mult_rcu_gp = true,
