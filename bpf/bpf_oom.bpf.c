// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tier `bpf-oom`: kernels with struct bpf_oom_ops, which ask. `handle_out_of_memory` is
 * the one program of all policies: a policy is a struct_ops map of its own, made by user
 * space, with this program and the policy's name.
 */
#include <oomlet/kernel.bpf.h>

/* No typedef: CO-RE would look for that in the kernel */
#define oom_handle struct oom_control

#define TIER OOMLET_TIER_BPF_OOM
#define KILL_FLAGS 0
#define WAIT_NS 100000000
#define ROOM_PAGES 64
#define KILLS_GROUPS 1
#define WAIT_ROUNDS (1 << 20)

#include <oomlet/css_processes.bpf.h>
#include <oomlet/decide.bpf.h>
#include <oomlet/declare.bpf.h>

char LICENSE[] SEC("license") = "GPL";

MESSAGE(message_kernel, "kernel");
MESSAGE(message_largest_rss, "largest-rss");
MESSAGE(message_largest_memory, "largest-memory");
MESSAGE(message_largest_anon, "largest-anon");
MESSAGE(message_largest_shmem, "largest-shmem");
MESSAGE(message_youngest, "youngest");
MESSAGE(message_oldest, "oldest");
MESSAGE(message_highest_oom_score, "highest-oom-score");
MESSAGE(message_custom, "custom policy");
MESSAGE(message_with_victim, "with the victim");
MESSAGE(message_dying, "waits for an earlier victim");

static __always_inline bool is_victim(struct task_struct *task)
{
	return task_is_oom_victim(task);
}

/* Its kills are the kernel's. */
static __always_inline bool leave_to_kernel(struct oom_control *oc, __u32 tgid)
{
	return false;
}

static __noinline int kill_task(struct oom_control *oc, struct task_struct *task, __u32 by)
{
	int err;

	switch (by) {
	case WITH_VICTIM:
		err = bpf_oom_kill_process(oc, task, message_with_victim);
		break;
	case OOMLET_VICTIM_LARGEST_RSS:
		err = bpf_oom_kill_process(oc, task, message_largest_rss);
		break;
	case OOMLET_VICTIM_LARGEST_MEMORY:
		err = bpf_oom_kill_process(oc, task, message_largest_memory);
		break;
	case OOMLET_VICTIM_LARGEST_ANON:
		err = bpf_oom_kill_process(oc, task, message_largest_anon);
		break;
	case OOMLET_VICTIM_LARGEST_SHMEM:
		err = bpf_oom_kill_process(oc, task, message_largest_shmem);
		break;
	case OOMLET_VICTIM_YOUNGEST:
		err = bpf_oom_kill_process(oc, task, message_youngest);
		break;
	case OOMLET_VICTIM_OLDEST:
		err = bpf_oom_kill_process(oc, task, message_oldest);
		break;
	case OOMLET_VICTIM_HIGHEST_OOM_SCORE:
		err = bpf_oom_kill_process(oc, task, message_highest_oom_score);
		break;
	case OOMLET_VICTIM_CUSTOM:
		err = bpf_oom_kill_process(oc, task, message_custom);
		break;
	default:
		err = bpf_oom_kill_process(oc, task, message_kernel);
	}
	/* The kernel says 0 of the dead, too: whether the process has become a victim is seen in it */
	return err ? err : task_is_oom_victim(task) ? 0 : -ESRCH;
}

/* Tells the kernel that memory is on its way. By a thread that has the address space still, where
 * there is one: else it reports, at length, that there is nothing to kill.
 */
static __noinline void tell_of(struct oom_control *oc, struct task_struct *victim)
{
	struct task_struct *thread;
	__u32 pid;

	bpf_rcu_read_lock();
	mm_and_thread(victim, &pid);
	bpf_rcu_read_unlock();
	thread = bpf_task_from_pid(pid);
	if (!thread)
		return;
	bpf_oom_kill_process(oc, thread, message_dying);
	bpf_task_release(thread);
}

/* Waits for the victim's end, for a moment. A victim no longer counts as dying (to the
 * kernel: MMF_OOM_SKIP) before all of its memory is uncharged; whoever asks again just
 * then would get a second victim. Not if the task that is out of memory dies itself: it
 * has to go for that. With one processor the victim gets it meanwhile only where the
 * kernel is preemptible.
 */
static __noinline void wait_for_memory(struct oom_control *oc, struct cgroup *cgrp, const struct victim *v, __u64 until_ns)
{
	struct bpf_iter_num numbers;
	bool gone = false;

	if (task_is_oom_victim(bpf_get_current_task_btf()))
		return;
	bpf_iter_num_new(&numbers, 0, WAIT_ROUNDS);
	while (!gone && bpf_iter_num_next(&numbers)) {
		if (bpf_ktime_get_boot_ns() > until_ns)
			break;
		gone = is_gone(v);
	}
	bpf_iter_num_destroy(&numbers);
}

SEC("struct_ops/handle_out_of_memory")
int handle_out_of_memory(unsigned long long *ctx)
{
	/* The first argument only: the second differs from kernel to kernel */
	struct oom_control *oc = (struct oom_control *)ctx[0];
	struct mem_cgroup *memcg = oc->memcg;
	__u32 trigger = memcg ? OOMLET_TRIGGER_LIMIT : OOMLET_TRIGGER_SYSTEM;
	struct cgroup *cgrp;
	int handled;

	/* sysrq-f is for a human who has reasons to ask the kernel */
	if (oc->order < 0)
		return 0;
	cgrp = bpf_cgroup_from_id(memcg ? memcg->css.cgroup->kn->id : ROOT_CGROUP_ID);
	if (!cgrp)
		return 0;
	handled = decide(oc, cgrp, is_declared() ? OOMLET_TRIGGER_PRESSURE : trigger, OOMLET_SLOT_HANDLER);
	bpf_cgroup_release(cgrp);
	return handled;
}

static int declare(void *map, int *key, void *value)
{
	struct oomlet_pressure_limit *limit;
	struct declaration *d = value;
	struct mem_cgroup *memcg;
	struct cgroup *cgrp;
	bool real = false;

	/* Another one is being decided, in a moment or in an OOM's time: after it */
	if (__sync_val_compare_and_swap(&deciding, 0, 1)) {
		if (bpf_wq_start(&d->work, 0))
			d->busy = 0;
		return 0;
	}
	cgrp = bpf_cgroup_from_id(d->cgroup_id);
	memcg = cgrp ? bpf_get_mem_cgroup(&cgrp->self) : NULL;
	limit = memcg ? bpf_cgrp_storage_get(&pressure, cgrp, NULL, 0) : NULL;
	if (limit)
		real = is_for_real(cgrp, limit);
	deciding = 0;
	if (memcg) {
		if (real) {
			d->declaring_pid = bpf_get_current_task_btf()->pid;
			if (cgrp->level)
				bpf_out_of_memory(memcg, 0, BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK);
			else
				bpf_out_of_memory(NULL, 0, BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK);
			d->declaring_pid = 0;
		}
		bpf_put_mem_cgroup(memcg);
	}
	if (cgrp)
		bpf_cgroup_release(cgrp);
	d->busy = 0;
	return 0;
}

/* For each cgroup, and the system, about every 2 s while not idle. */
SEC("tp_btf/psi_avgs_work")
int watch_pressure(unsigned long long *ctx)
{
	struct psi_group *group = (struct psi_group *)ctx[0];
	/* The system's may be 0 */
	__u64 cgroup_id = group->cgroup_id ?: ROOT_CGROUP_ID;
	struct oomlet_pressure_limit *limit;
	struct oomlet_stall *stall;
	struct cgroup *cgrp;
	__u64 total;

	cgrp = bpf_cgroup_from_id(cgroup_id);
	if (!cgrp)
		return 0;
	limit = bpf_cgrp_storage_get(&pressure, cgrp, NULL, 0);
	if (limit && limit->kind) {
		total = limit->kind == OOMLET_PRESSURE_FULL ? group->total[PSI_MEM_FULL] : group->total[PSI_MEM_SOME];
		stall = bpf_cgrp_storage_get(&stalls, cgrp, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		/* Otherwise, at the next look */
		if (stall && look(stall, limit, total) && !start_declaration(cgroup_id, declare))
			stall->declared_at_ns = 0;
	}
	bpf_cgroup_release(cgrp);
	return 0;
}

/* Only to have its type's layout and the program's attachment: user space makes the maps
 * that are attached, one for each policy.
 */
SEC(".struct_ops")
struct bpf_oom_ops template = {
	.handle_out_of_memory = (void *)handle_out_of_memory,
	.name = "oomlet",
};
