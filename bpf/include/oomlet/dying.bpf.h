/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The latest victims of any OOM, and waiting for those that are not gone yet: while
 * one is dying, nobody else is killed in its place.
 */
#ifndef OOMLET_DYING_BPF_H
#define OOMLET_DYING_BPF_H

#include "kernel.bpf.h"
#include "memory.bpf.h"

#define DYING 64U		/* the latest so many; a power of 2 */

/* Changed and read under the kernel's oom_lock only. */
struct dying {
	__u32 next;
	__u32 pad;
	struct {
		__u64 start_boottime_ns;
		__u32 tgid;	/* 0: none */
		__u32 pad;
	} victims[DYING];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dying);
} dying SEC(".maps");

MESSAGE(message_dying, "waits for an earlier victim");

/* A walk over tasks does not show a victim to its end: it loses a process with its last
 * thread's exit, before the memory is given back. So the victims are noted as the kernel
 * marks them, its own and those of memory.oom.group as well.
 */
SEC("tp_btf/mark_victim")
int note_victim(unsigned long long *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 zero = 0, at;
	struct dying *d = bpf_map_lookup_elem(&dying, &zero);

	if (!d)
		return 0;
	at = d->next++ % DYING;
	d->victims[at].tgid = task->tgid;
	d->victims[at].start_boottime_ns = task->group_leader->start_boottime;
	return 0;
}

/* How many have been noted: the same number as before means that nobody was killed meanwhile. */
static __always_inline __u32 victims_noted(void)
{
	__u32 zero = 0;
	struct dying *d = bpf_map_lookup_elem(&dying, &zero);

	return d ? d->next : 0;
}

#define WAIT_NS 100000000
#define WAIT_ROUNDS (1 << 20)

/* Waits for the victim's end, for a moment. A victim no longer counts as dying (to the
 * kernel: MMF_OOM_SKIP) before all of its memory is uncharged; whoever asks again just
 * then would get a second victim. Not if the task that is out of memory dies itself: it
 * has to go for that. With one processor the victim gets it meanwhile only where the
 * kernel is preemptible.
 */
static __noinline void wait_for_end(__u32 victim)
{
	__u64 start = bpf_ktime_get_boot_ns();
	struct bpf_iter_num numbers;
	struct task_struct *task;
	bool gone = false;

	if (task_is_oom_victim(bpf_get_current_task_btf()))
		return;
	bpf_iter_num_new(&numbers, 0, WAIT_ROUNDS);
	while (!gone && bpf_iter_num_next(&numbers)) {
		if (bpf_ktime_get_boot_ns() - start > WAIT_NS)
			break;
		task = bpf_task_from_pid(victim);
		/* All of its threads: the leader may have exited long ago */
		gone = !task || (task->exit_state && task->signal->nr_threads == 1);
		if (task)
			bpf_task_release(task);
	}
	bpf_iter_num_destroy(&numbers);
}

/* Whether the task is, or was to its end, in the cgroup of that id and level, or below. */
static __always_inline bool is_below(struct task_struct *task, __u64 cgroup_id, int level)
{
	struct cgroup *cgrp;
	bool below = false;

	bpf_rcu_read_lock();
	cgrp = bpf_cgroup_ancestor(task->cgroups->dfl_cgrp, level);
	if (cgrp) {
		below = cgrp->kn->id == cgroup_id;
		bpf_cgroup_release(cgrp);
	}
	bpf_rcu_read_unlock();
	return below;
}

/* Whether the process is a victim that is still dying, which tells the kernel, too, that
 * memory is on its way. *forget: it no longer is.
 */
static __noinline bool is_dying(struct oom_control *oc, struct mem_cgroup *memcg, __u32 tgid,
				__u64 start_boottime_ns, bool *forget)
{
	struct task_struct *task = bpf_task_from_pid(tgid);
	struct cgroup *cgrp = memcg->css.cgroup;
	bool dying = false;

	*forget = !task;
	if (!task)
		return false;
	if (task->start_boottime != start_boottime_ns || !task_is_oom_victim(task)) {
		*forget = true;
	} else if (is_below(task, cgrp->kn->id, cgrp->level)) {
		dying = !bpf_oom_kill_process(oc, task, message_dying);
		*forget = !dying;
	}
	bpf_task_release(task);
	return dying;
}

/* Whether an earlier victim here is still dying: if so, it has been waited for. */
static __noinline bool waited_for_victim(struct oom_control *oc, struct mem_cgroup *memcg)
{
	struct bpf_iter_num numbers;
	bool forget, waited = false;
	__u32 zero = 0, tgid;
	struct dying *d;
	int *i;

	d = bpf_map_lookup_elem(&dying, &zero);
	if (!d)
		return false;
	bpf_iter_num_new(&numbers, 0, DYING);
	while (!waited && (i = bpf_iter_num_next(&numbers))) {
		__u32 at = (__u32)*i % DYING;

		tgid = d->victims[at].tgid;
		if (!tgid)
			continue;
		waited = is_dying(oc, memcg, tgid, d->victims[at].start_boottime_ns, &forget);
		if (forget)
			d->victims[at].tgid = 0;
		if (waited || forget)
			wait_for_end(tgid);
	}
	bpf_iter_num_destroy(&numbers);
	return waited;
}

#endif
