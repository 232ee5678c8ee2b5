// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tier `tracing`: kernels that ask nobody. Their OOM killer takes oom_lock, and looks once
 * more whether there is memory before it chooses. Who runs in between, kills, and waits
 * until memory is back, has decided. A policy is in force on a cgroup that has an entry in
 * map `attached`.
 */
#include <oomlet/kernel.bpf.h>

/* What a task wants that finds no memory. No typedef: CO-RE would look for that in the kernel */
struct want {
	__u64 cgroup_id;		/* that is at its limit; 0: none */
	__u64 zones;			/* of the system: the struct zoneref that it looks through */
	__u64 reclaimed_at_ns;
	int order;
	int system_order;
	__u32 gfp;
	__u32 timed_out;		/* the latest wait */
};
#define oom_handle struct want

#define TIER OOMLET_TIER_TRACING
#define KILL_FLAGS OOMLET_BY_SIGNAL
#define WAIT_NS (oom_is_system(oom) ? 2000000000ULL : 1000000000ULL)
#define WAIT_ROUNDS (8 << 20)
#define ROOM_PAGES 256
#define KILLS_GROUPS 0
#define ENOUGH_BYTES (8ULL << 20)	/* to go on with, while the victim ends */
#define ZONES 8
#define DECISIONS 4			/* for one OOM */
#define STALE_NS 2000000000ULL

static __attribute__((always_inline)) inline bool oom_is_system(struct want *want)
{
	return !want->cgroup_id;
}

#include <oomlet/indexed_processes.bpf.h>
#include <oomlet/decide.bpf.h>

char LICENSE[] SEC("license") = "GPL";

extern const void oom_lock __ksym __weak;
extern const void psi_system __ksym __weak;
extern const void sysctl_panic_on_oom __ksym __weak;
extern const void sysctl_oom_kill_allocating_task __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct want);
} wants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct oomlet_attached);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} attached SEC(".maps");

/* --- what differs from tier to tier ------------------------------------------------- */

static __always_inline bool is_dying(struct task_struct *task)
{
	return (task->signal->flags & SIGNAL_GROUP_EXIT) || (task->flags & PF_EXITING);
}

/* The kernel marks its own victims; ours have been noted. */
static __noinline bool is_noted(struct task_struct *task)
{
	struct bpf_iter_num numbers;
	bool noted = false;
	__u32 zero = 0;
	struct dying *d;
	int *i;

	d = bpf_map_lookup_elem(&dying, &zero);
	if (!d)
		return false;
	bpf_iter_num_new(&numbers, 0, DYING);
	while (!noted && (i = bpf_iter_num_next(&numbers))) {
		struct victim *v = &d->victims[(__u32)*i % DYING];

		noted = v->tgid == task->tgid && v->start_boottime_ns == task->group_leader->start_boottime;
	}
	bpf_iter_num_destroy(&numbers);
	return noted;
}

static __always_inline bool is_victim(struct task_struct *task)
{
	return task_is_oom_victim(task) || ((task->signal->flags & SIGNAL_GROUP_EXIT) && is_noted(task));
}

static __noinline int kill_task(struct want *want, struct task_struct *task, __u32 by)
{
	struct task_struct *thread;
	int err = -ESRCH;
	__u32 pid;

	/* Not by one that exits already */
	bpf_rcu_read_lock();
	mm_and_thread(task, &pid);
	bpf_rcu_read_unlock();
	thread = bpf_task_from_pid(pid);
	if (!thread)
		return -ESRCH;
	if (bpf_send_signal_task)
		err = bpf_send_signal_task(thread, SIGKILL, PIDTYPE_TGID, 0);
	if (!err)
		note(task);
	bpf_task_release(thread);
	return err;
}

/* A kill that is left to the kernel: by the task of that pid, which has the lock. Its record is a draft. */
static __u32 left_by_pid, left_tgid;

static __always_inline bool leave_to_kernel(struct want *want, __u32 tgid)
{
	left_tgid = tgid;
	left_by_pid = bpf_get_current_task_btf()->pid;
	return true;
}

SEC("tp_btf/mark_victim")
int tell_of_left(unsigned long long *ctx)
{
	struct task_struct *victim = (struct task_struct *)ctx[0];
	__u32 slot = OOMLET_SLOT_HANDLER;
	struct oomlet_record *r;

	if (!left_by_pid || left_by_pid != bpf_get_current_task_btf()->pid)
		return 0;
	left_by_pid = 0;
	r = bpf_map_lookup_elem(&drafts, &slot);
	if (r && victim->tgid == left_tgid) {
		r->outcome = OOMLET_OUTCOME_KILLED;
		record_send(r);
	}
	return 0;
}

/* The kernel looks for itself. */
static __always_inline void tell_of(struct want *want, struct task_struct *victim)
{
}

/* Whether one of the zones that are looked through has so many bytes above its high watermark: there the kernel looks
 * when it has the lock. What is kept back for the highest zone does not count.
 */
static __noinline bool has_zone(struct want *want, __u64 bytes)
{
	struct bpf_iter_num numbers;
	bool found = false;
	int *i;

	bpf_iter_num_new(&numbers, 0, ZONES);
	while (!found && (i = bpf_iter_num_next(&numbers))) {
		unsigned long high = 0, boost = 0;
		struct zone *zone = NULL;
		__s64 free = 0;
		long kept = 0;

		bpf_probe_read_kernel(&zone, sizeof(zone),
				      (void *)want->zones + (__u64)*i * bpf_core_type_size(struct zoneref) +
					      bpf_core_field_offset(struct zoneref, zone));
		if (!zone)
			break;
		bpf_core_read(&free, sizeof(free), &zone->vm_stat[0].counter);
		bpf_core_read(&high, sizeof(high), &zone->_watermark[2]);
		bpf_core_read(&boost, sizeof(boost), &zone->watermark_boost);
		bpf_core_read(&kept, sizeof(kept), &zone->lowmem_reserve[2]);
		found = free - (__s64)high - (__s64)boost - kept > (__s64)(bytes / OOMLET_PAGE_SIZE);
	}
	bpf_iter_num_destroy(&numbers);
	return found;
}

static __always_inline bool has_bytes(struct want *want, struct cgroup *cgrp, __u64 bytes)
{
	__u64 max;

	if (oom_is_system(want))
		return has_zone(want, bytes);
	max = memory_max(cgrp);
	return max == NO_LIMIT || memory_current(cgrp) + bytes <= max;
}

static __always_inline __u64 wanted_bytes(struct want *want)
{
	return OOMLET_PAGE_SIZE * ROOM_PAGES + (OOMLET_PAGE_SIZE << (want->order & 15));
}

/* For memory, not for the victim's end. */
static __noinline void wait_for_memory(struct want *want, struct cgroup *cgrp, const struct victim *v, __u64 until_ns)
{
	__u64 bytes = wanted_bytes(want), enough = v->size_bytes / 2 < ENOUGH_BYTES ? v->size_bytes / 2 : ENOUGH_BYTES;
	struct task_struct *current = bpf_get_current_task_btf();
	struct bpf_iter_num numbers;
	bool gone = false;
	int *i;

	bytes = enough > bytes ? enough : bytes;
	want->timed_out = 0;
	bpf_iter_num_new(&numbers, 0, WAIT_ROUNDS);
	while (!gone && (i = bpf_iter_num_next(&numbers))) {
		if (is_dying(current) || has_bytes(want, cgrp, bytes))
			break;
		if (bpf_ktime_get_boot_ns() > until_ns) {
			want->timed_out = 1;
			break;
		}
		if (*i & 63)
			continue;
		gone = is_gone(v);
	}
	bpf_iter_num_destroy(&numbers);
}

/* --- the ways in -------------------------------------------------------------------- */

/* Whether a policy is in force there: on the cgroup itself, or above it. */
static __noinline bool is_concerned(struct cgroup *cgrp)
{
	struct bpf_iter_num numbers;
	struct cgroup *ancestor;
	bool concerned = false;
	int *i;

	bpf_iter_num_new(&numbers, 0, OOMLET_LEVELS);
	while (!concerned && (i = bpf_iter_num_next(&numbers))) {
		ancestor = bpf_cgroup_ancestor(cgrp, *i);
		if (!ancestor)
			break;
		concerned = bpf_cgrp_storage_get(&attached, ancestor, NULL, 0);
		bpf_cgroup_release(ancestor);
	}
	bpf_iter_num_destroy(&numbers);
	return concerned;
}

/* A sysctl that decides before any policy. */
static __always_inline int sysctl(const void *at)
{
	int value = 0;

	if (at)
		bpf_probe_read_kernel(&value, sizeof(value), at);
	return value;
}

static __noinline void handle(struct want *want, __u64 cgroup_id, __u32 trigger)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id);
	struct bpf_iter_num numbers;

	if (!cgrp)
		return;
	left_by_pid = 0;
	if (is_concerned(cgrp)) {
		/* A victim may be gone and have left too little */
		bpf_iter_num_new(&numbers, 0, DECISIONS);
		while (bpf_iter_num_next(&numbers)) {
			if (is_dying(bpf_get_current_task_btf()) || has_bytes(want, cgrp, wanted_bytes(want)))
				break;
			want->timed_out = 0;
			if (!decide(want, cgrp, trigger, OOMLET_SLOT_HANDLER) || want->timed_out)
				break;
		}
		bpf_iter_num_destroy(&numbers);
	}
	bpf_cgroup_release(cgrp);
}

static __always_inline int want_below_limit(unsigned long long *ctx)
{
	struct mem_cgroup *memcg = (struct mem_cgroup *)ctx[0];
	struct want *want =
		bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (want) {
		want->cgroup_id = memcg->css.cgroup->kn->id;
		want->order = (int)ctx[2];
	}
	return 0;
}

/* Three times the same: a program is passed over in a task that comes while another task is preempted in it there. */
SEC("fentry/mem_cgroup_out_of_memory")
int want_1(unsigned long long *ctx)
{
	return want_below_limit(ctx);
}

SEC("fentry/mem_cgroup_out_of_memory")
int want_2(unsigned long long *ctx)
{
	return want_below_limit(ctx);
}

SEC("fentry/mem_cgroup_out_of_memory")
int want_3(unsigned long long *ctx)
{
	return want_below_limit(ctx);
}

/* The first lock that a task takes in mem_cgroup_out_of_memory() is oom_lock. */
SEC("fexit/mutex_lock_killable")
int decide_for_limit(unsigned long long *ctx)
{
	struct want *want = bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, 0);
	__u64 err = 1;

	if (!want || !want->cgroup_id)
		return 0;
	bpf_get_func_ret(ctx, &err);
	if (!(int)err && sysctl(&sysctl_panic_on_oom) != 2)
		handle(want, want->cgroup_id, OOMLET_TRIGGER_LIMIT);
	want->cgroup_id = 0;
	return 0;
}

SEC("fentry/try_to_free_pages")
int want_of_system(unsigned long long *ctx)
{
	struct want *want =
		bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (want) {
		want->zones = ctx[0];
		want->system_order = (int)ctx[1];
		want->gfp = (__u32)ctx[2];
		want->reclaimed_at_ns = bpf_ktime_get_boot_ns();
	}
	return 0;
}

/* Whether the kernel would come to choose a victim for such an allocation (__alloc_pages_may_oom(), out_of_memory()). */
static __always_inline bool is_decidable(struct want *want)
{
	return want->zones && want->system_order <= COSTLY_ORDER && (want->gfp & GFP_FS) &&
	       !(want->gfp & (GFP_RETRY_MAYFAIL | GFP_THISNODE | GFP_DMA | GFP_DMA32)) &&
	       !(bpf_get_current_task_btf()->flags & PF_DUMPCORE) &&
	       bpf_ktime_get_boot_ns() - want->reclaimed_at_ns < STALE_NS && !sysctl(&sysctl_panic_on_oom) &&
	       !sysctl(&sysctl_oom_kill_allocating_task);
}

SEC("fexit/mutex_trylock")
int decide_for_system(unsigned long long *ctx)
{
	struct want *want;
	__u64 locked = 0;

	if (!&oom_lock || ctx[0] != (__u64)&oom_lock)
		return 0;
	bpf_get_func_ret(ctx, &locked);
	want = bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, 0);
	if (!(int)locked || !want || !is_decidable(want))
		return 0;
	want->cgroup_id = 0;
	want->order = want->system_order;
	handle(want, ROOT_CGROUP_ID, OOMLET_TRIGGER_SYSTEM);
	return 0;
}

/* --- pressure ------------------------------------------------------------------------- */

/* Carries out what is_for_real() has found. */
static __always_inline void kill_for_pressure(struct cgroup *cgrp)
{
	__u32 slot = OOMLET_SLOT_PRESSURE;
	struct oomlet_record *r = bpf_map_lookup_elem(&drafts, &slot);
	struct scan *s = bpf_map_lookup_elem(&scans, &slot);
	struct want *want =
		bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!r || !s || !want)
		return;
	kill(want, cgrp, s, r);
	record_send(r);
}

/* Returns 0 if another one is being decided. */
static __always_inline int end_pressure(struct cgroup *cgrp, const struct oomlet_pressure_limit *limit)
{
	struct want *want =
		bpf_task_storage_get(&wants, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!want || __sync_val_compare_and_swap(&deciding, 0, 1))
		return 0;
	/* Not while an earlier victim ends */
	if (!waited_for_victim(want, cgrp, 0) && is_for_real(cgrp, limit))
		kill_for_pressure(cgrp);
	deciding = 0;
	return 1;
}

static __noinline void look_at(struct cgroup *cgrp, const struct oomlet_pressure_limit *limit)
{
	struct oomlet_stall *stall = bpf_cgrp_storage_get(&stalls, cgrp, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	const struct psi_group *psi = cgrp->level ? cgrp->psi : &psi_system;
	__u64 totals[4] = {}, total, summed_at = 0;

	if (!stall || !psi)
		return;
	bpf_core_read(totals, sizeof(totals), &psi->total);
	total = limit->kind == OOMLET_PRESSURE_FULL ? totals[PSI_MEM_FULL] : totals[PSI_MEM_SOME];
	/* The kernel sums them up about every 2 s: one look for each time */
	bpf_core_read(&summed_at, sizeof(summed_at), &psi->avg_last_update);
	if (summed_at == stall->summed_at_ns)
		return;
	stall->summed_at_ns = summed_at;
	if (look(stall, limit, total) && !end_pressure(cgrp, limit))
		stall->declared_at_ns = 0;
}

/* In the tasks that stall: they are in the cgroups that do, and a signal is not sent from a kernel thread. */
SEC("fentry/psi_memstall_enter")
int watch_pressure(unsigned long long *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct oomlet_pressure_limit *limit;
	struct bpf_iter_num numbers;
	struct cgroup *cgrp;
	int *i;

	if (task->flags & (PF_KTHREAD | PF_EXITING))
		return 0;
	bpf_iter_num_new(&numbers, 0, OOMLET_LEVELS);
	while ((i = bpf_iter_num_next(&numbers))) {
		bpf_rcu_read_lock();
		cgrp = bpf_cgroup_ancestor(task->cgroups->dfl_cgrp, *i);
		bpf_rcu_read_unlock();
		if (!cgrp)
			break;
		limit = bpf_cgrp_storage_get(&pressure, cgrp, NULL, 0);
		if (limit && limit->kind)
			look_at(cgrp, limit);
		bpf_cgroup_release(cgrp);
	}
	bpf_iter_num_destroy(&numbers);
	return 0;
}
