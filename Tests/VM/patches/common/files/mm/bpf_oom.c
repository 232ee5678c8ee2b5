// SPDX-License-Identifier: GPL-2.0-only
/*
 * OOM policies written in BPF: the type, and the kfuncs for it.
 */

#include <linux/bpf.h>
#include <linux/bpf_oom.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cgroup.h>
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

/* The default of Linux 7 */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

/* Run one policy. Returns whether the OOM is over. */
static bool bpf_oom_ask(struct bpf_oom_ops *ops, struct oom_control *oc, void *attached)
{
	bool handled;

	oc->bpf_handler_name = ops->name;
	oc->bpf_memory_freed = false;

	/* The OOM may have happened in a page fault, with mmap_lock held */
	pagefault_disable();
	handled = ops->handle_out_of_memory(oc, attached) && oc->bpf_memory_freed;
	pagefault_enable();

	oc->bpf_handler_name = NULL;
	return handled;
}

/* bpf_handle_oom() and the members of bpf_oom_struct_ops that have to do with
 * how policies are attached
 */
#include "bpf_oom_attach.h"

/* The verifier finds this by its name: NULL for an OOM of the system, otherwise
 * good for kfuncs.
 */
struct oom_control__safe_trusted_or_null {
	struct mem_cgroup *memcg;
};

static int bpf_oom_init_btf(struct btf *btf)
{
	BTF_TYPE_EMIT(struct oom_control__safe_trusted_or_null);
	BTF_TYPE_EMIT_ENUM(BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK);
	return 0;
}

static int bpf_oom_init_member(const struct btf_type *t, const struct btf_member *member,
			       void *kdata, const void *udata)
{
	const struct bpf_oom_ops *from = udata;
	struct bpf_oom_ops *to = kdata;

	if (__btf_member_bit_offset(t, member) != offsetof(struct bpf_oom_ops, name) * 8)
		return 0;

	strscpy_pad(to->name, from->name[0] ? from->name : "bpf_defined_policy",
		    sizeof(to->name));
	return 1;
}

/* All that a policy is told is read only: there is no .btf_struct_access */
static const struct bpf_verifier_ops bpf_oom_verifier_ops = {
	.get_func_proto = tracing_prog_func_proto,
	.is_valid_access = bpf_tracing_btf_ctx_access,
};

static int bpf_oom_stub(struct oom_control *oc, struct BPF_OOM_ATTACHED *attached)
{
	return 0;
}

static struct bpf_oom_ops bpf_oom_stubs = {
	.handle_out_of_memory = bpf_oom_stub,
};

static struct bpf_struct_ops bpf_oom_struct_ops = {
	.name = "bpf_oom_ops",
	.owner = THIS_MODULE,
	.cfi_stubs = &bpf_oom_stubs,
	.verifier_ops = &bpf_oom_verifier_ops,
	.init = bpf_oom_init_btf,
	.init_member = bpf_oom_init_member,
	BPF_OOM_ATTACH_OPS
};

__bpf_kfunc_start_defs();

/**
 * bpf_oom_kill_process - kill a process on behalf of an OOM policy
 * @oc: the OOM being handled
 * @task: any task of the process
 * @message__str: why, for the kernel's log
 *
 * As when the kernel has chosen it: report, SIGKILL, reserves, OOM reaper, and
 * the whole memory cgroup if memory.oom.group says so. Whether the process has
 * memory left to give, or is dead for that matter, is the caller's business.
 *
 * Return: 0, and the OOM is marked as one that freed memory; -EPERM for kernel
 * threads and init; -EINVAL if its oom_score_adj is OOM_SCORE_ADJ_MIN.
 */
__bpf_kfunc int bpf_oom_kill_process(struct oom_control *oc, struct task_struct *task,
				     const char *message__str)
{
	if (oom_unkillable_task(task))
		return -EPERM;
	if (task->signal->oom_score_adj == OOM_SCORE_ADJ_MIN)
		return -EINVAL;

	/* This reference is oom_kill_process()'s to put */
	oc->chosen = get_task_struct(task);
	oom_kill_process(oc, message__str);
	oc->chosen = NULL;
	oc->bpf_memory_freed = true;
	return 0;
}

/**
 * bpf_task_is_oom_victim - has a task been chosen by an OOM kill already
 * @task: the task
 *
 * Return: true if so. It may have freed its memory since.
 */
__bpf_kfunc bool bpf_task_is_oom_victim(struct task_struct *task)
{
	return tsk_is_oom_victim(task);
}

/**
 * bpf_out_of_memory - declare a memory cgroup or the system out of memory
 * @memcg__nullable: the memory cgroup, or NULL for the system. The root memory
 *	cgroup is not the system, and a BUG.
 * @order: of the allocation that would have failed
 * @flags: BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK to wait while another OOM is handled
 *
 * Return: what out_of_memory() does, 1 if memory is being freed and 0 if there
 * is nothing to kill; -EINVAL for a bad @order or @flags; -EBUSY if another OOM
 * is being handled; -EINTR if killed while waiting.
 */
__bpf_kfunc int bpf_out_of_memory(struct mem_cgroup *memcg__nullable, int order, u64 flags)
{
	struct oom_control oc = {
		.memcg = memcg__nullable,
		.gfp_mask = GFP_KERNEL,
		.order = order,
	};
	int ret;

	if (flags >= BPF_OOM_FLAGS_LAST || order < 0 || order > MAX_PAGE_ORDER)
		return -EINVAL;

	if (!(flags & BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK)) {
		if (!mutex_trylock(&oom_lock))
			return -EBUSY;
	} else {
		ret = mutex_lock_killable(&oom_lock);
		if (ret)
			return ret;
	}
	ret = out_of_memory(&oc);
	mutex_unlock(&oom_lock);
	return ret;
}

__bpf_kfunc_end_defs();

BTF_ID_LIST_SINGLE(bpf_oom_ops_id, struct, bpf_oom_ops)

static bool bpf_oom_is_policy(const struct bpf_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_STRUCT_OPS &&
	       prog->aux->attach_btf_id == bpf_oom_ops_id[0];
}

/* For policies */
BTF_KFUNCS_START(bpf_oom_policy_kfuncs)
BTF_ID_FLAGS(func, bpf_oom_kill_process, KF_SLEEPABLE | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_task_is_oom_victim, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(bpf_oom_policy_kfuncs)

static int bpf_oom_policy_filter(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (!btf_id_set8_contains(&bpf_oom_policy_kfuncs, kfunc_id))
		return 0;
	return bpf_oom_is_policy(prog) ? 0 : -EACCES;
}

static const struct btf_kfunc_id_set bpf_oom_policy_set = {
	.owner = THIS_MODULE,
	.set = &bpf_oom_policy_kfuncs,
	.filter = bpf_oom_policy_filter,
};

/* For who makes OOMs: programs of all types but policies, which handle one, and of
 * tracing ones only those that watch pressure
 */
BTF_KFUNCS_START(bpf_oom_declare_kfuncs)
BTF_ID_FLAGS(func, bpf_out_of_memory, KF_SLEEPABLE | KF_TRUSTED_ARGS)
BTF_KFUNCS_END(bpf_oom_declare_kfuncs)

BTF_ID_LIST(bpf_oom_pressure_id)
#ifdef CONFIG_PSI
BTF_ID(typedef, btf_trace_psi_avgs_work)
#else
BTF_ID_UNUSED
#endif

static int bpf_oom_declare_filter(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (!btf_id_set8_contains(&bpf_oom_declare_kfuncs, kfunc_id))
		return 0;
	if (bpf_oom_is_policy(prog))
		return -EACCES;
	if (prog->type == BPF_PROG_TYPE_TRACING &&
	    prog->aux->attach_btf_id != bpf_oom_pressure_id[0])
		return -EACCES;
	return 0;
}

static const struct btf_kfunc_id_set bpf_oom_declare_set = {
	.owner = THIS_MODULE,
	.set = &bpf_oom_declare_kfuncs,
	.filter = bpf_oom_declare_filter,
};

static int __init bpf_oom_init(void)
{
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &bpf_oom_policy_set);
	err = err ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &bpf_oom_declare_set);
	err = err ?: register_bpf_struct_ops(&bpf_oom_struct_ops, bpf_oom_ops);
	if (err)
		pr_warn("bpf_oom: no OOM policies in BPF: %d\n", err);
	return err;
}
late_initcall(bpf_oom_init);
