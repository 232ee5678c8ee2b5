// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups for BPF programs: references, usage, events, statistics.
 */

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/cgroup.h>
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/page_counter.h>

#include "internal.h"

__bpf_kfunc_start_defs();

/**
 * bpf_get_root_mem_cgroup - the root memory cgroup
 *
 * Return: the root memory cgroup, to be released with bpf_put_mem_cgroup(),
 * or NULL if the memory controller is disabled.
 */
__bpf_kfunc struct mem_cgroup *bpf_get_root_mem_cgroup(void)
{
	/* The root css is not reference counted: nothing to take */
	return mem_cgroup_disabled() ? NULL : root_mem_cgroup;
}

/**
 * bpf_get_mem_cgroup - take a reference on the memory cgroup of a css
 * @css: any css: one of the memory controller, of another controller, or
 *	 a cgroup's own (&cgrp->self)
 *
 * Return: the memory cgroup of the css's cgroup, to be released with
 * bpf_put_mem_cgroup(). NULL if that cgroup has none of its own (controller
 * not enabled there) or if it is being freed.
 */
__bpf_kfunc struct mem_cgroup *bpf_get_mem_cgroup(struct cgroup_subsys_state *css)
{
	struct mem_cgroup *memcg = NULL;

	if (mem_cgroup_disabled())
		return NULL;

	rcu_read_lock();
	if (css->ss != &memory_cgrp_subsys)
		css = rcu_dereference(css->cgroup->subsys[memory_cgrp_id]);
	if (css && css_tryget(css))
		memcg = mem_cgroup_from_css(css);
	rcu_read_unlock();

	return memcg;
}

/**
 * bpf_put_mem_cgroup - release a reference on a memory cgroup
 * @memcg: what bpf_get_mem_cgroup() or bpf_get_root_mem_cgroup() returned
 */
__bpf_kfunc void bpf_put_mem_cgroup(struct mem_cgroup *memcg)
{
	css_put(&memcg->css);
}

/**
 * bpf_mem_cgroup_usage - memory charged to a memory cgroup and below
 * @memcg: memory cgroup
 *
 * Return: memory.current, in bytes.
 */
__bpf_kfunc unsigned long bpf_mem_cgroup_usage(struct mem_cgroup *memcg)
{
	return page_counter_read(&memcg->memory) * PAGE_SIZE;
}

/**
 * bpf_mem_cgroup_memory_events - a counter of memory.events
 * @memcg: memory cgroup
 * @event: which one
 *
 * Return: the hierarchical count, or -1UL for an unknown event.
 */
__bpf_kfunc unsigned long
bpf_mem_cgroup_memory_events(struct mem_cgroup *memcg,
			     enum memcg_memory_event event)
{
	if ((u32)event >= MEMCG_NR_MEMORY_EVENTS)
		return -1UL;

	return atomic_long_read(&memcg->memory_events[event]);
}

/**
 * bpf_mem_cgroup_vm_events - a VM event counter, as in memory.stat
 * @memcg: memory cgroup
 * @event: which one
 *
 * See bpf_mem_cgroup_flush_stats() for how recent it is.
 *
 * Return: the hierarchical count, or -1UL for an event that is not counted
 * by memory cgroup.
 */
__bpf_kfunc unsigned long
bpf_mem_cgroup_vm_events(struct mem_cgroup *memcg, enum vm_event_item event)
{
	if (!memcg_vm_event_item_valid(event))
		return -1UL;

	return memcg_events(memcg, event);
}

/**
 * bpf_mem_cgroup_page_state - a size or counter as in memory.stat
 * @memcg: memory cgroup
 * @idx: enum node_stat_item or enum memcg_stat_item
 *
 * See bpf_mem_cgroup_flush_stats() for how recent it is.
 *
 * Return: the hierarchical value, in the unit of memory.stat (bytes for
 * sizes), or -1UL for an item that is not counted by memory cgroup.
 */
__bpf_kfunc unsigned long bpf_mem_cgroup_page_state(struct mem_cgroup *memcg,
						    int idx)
{
	if (!memcg_stat_item_valid(idx))
		return -1UL;

	return memcg_page_state_output(memcg, idx);
}

/**
 * bpf_mem_cgroup_flush_stats - bring a memory cgroup's statistics up to date
 * @memcg: memory cgroup
 *
 * Folds the per-CPU deltas of the subtree into what page_state and vm_events
 * report. Without it they are up to about two seconds old.
 */
__bpf_kfunc void bpf_mem_cgroup_flush_stats(struct mem_cgroup *memcg)
{
	mem_cgroup_flush_stats(memcg);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(bpf_memcontrol_kfuncs)
BTF_ID_FLAGS(func, bpf_get_root_mem_cgroup, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_get_mem_cgroup, KF_ACQUIRE | KF_RET_NULL | KF_RCU)
BTF_ID_FLAGS(func, bpf_put_mem_cgroup, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_mem_cgroup_usage, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mem_cgroup_memory_events, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mem_cgroup_vm_events, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mem_cgroup_page_state, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mem_cgroup_flush_stats, KF_TRUSTED_ARGS | KF_SLEEPABLE)
BTF_KFUNCS_END(bpf_memcontrol_kfuncs)

static const struct btf_kfunc_id_set bpf_memcontrol_kfunc_set = {
	.owner = THIS_MODULE,
	.set   = &bpf_memcontrol_kfuncs,
};

static int __init bpf_memcontrol_init(void)
{
	/* For programs of all types */
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &bpf_memcontrol_kfunc_set);

	if (err)
		pr_warn("bpf_memcontrol: cannot register kfuncs: %d\n", err);
	return err;
}
late_initcall(bpf_memcontrol_init);
