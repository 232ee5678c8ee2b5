/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies attached by struct_ops links that have a cgroup, one per cgroup.
 * A part of bpf_oom.c.
 */

#define BPF_OOM_ATTACHED bpf_struct_ops_link

/**
 * bpf_handle_oom - let policies handle an OOM
 * @oc: what is out of memory
 *
 * Asks from the cgroup that is out of memory up to the root; for an OOM of the
 * system, the root's only. Called with oom_lock held.
 *
 * Return: true if one of them handled it.
 */
bool bpf_handle_oom(struct oom_control *oc)
{
	struct mem_cgroup *memcg = oc->memcg ?: root_mem_cgroup;
	bool handled = false;

	/* Detached links and their maps are freed a grace period later */
	rcu_read_lock_trace();
	for (; memcg && !handled; memcg = parent_mem_cgroup(memcg)) {
		struct bpf_struct_ops_link *link;
		struct bpf_oom_ops *ops;

		link = rcu_dereference_check(memcg->css.cgroup->bpf.bpf_oom_link,
					     rcu_read_lock_trace_held());
		ops = link ? bpf_struct_ops_link_data(link) : NULL;
		if (ops)
			handled = bpf_oom_ask(ops, oc, link);
	}
	rcu_read_unlock_trace();

	return handled;
}

/* Both under the mutex of struct_ops links */

static int bpf_oom_reg(void *kdata, struct bpf_link *link)
{
	struct bpf_struct_ops_link *st_link;
	struct cgroup *cgrp;

	if (!link)
		return -EOPNOTSUPP;

	st_link = container_of(link, struct bpf_struct_ops_link, link);
	cgrp = rcu_dereference_protected(st_link->cgroup, true);
	if (!cgrp)
		return -EINVAL;
	if (rcu_access_pointer(cgrp->bpf.bpf_oom_link))
		return -EEXIST;

	rcu_assign_pointer(cgrp->bpf.bpf_oom_link, st_link);
	return 0;
}

static void bpf_oom_unreg(void *kdata, struct bpf_link *link)
{
	struct bpf_struct_ops_link *st_link;
	struct cgroup *cgrp;

	st_link = container_of(link, struct bpf_struct_ops_link, link);
	cgrp = rcu_dereference_protected(st_link->cgroup, true);
	RCU_INIT_POINTER(cgrp->bpf.bpf_oom_link, NULL);
}

#define BPF_OOM_ATTACH_OPS	\
	.reg = bpf_oom_reg,	\
	.unreg = bpf_oom_unreg,
