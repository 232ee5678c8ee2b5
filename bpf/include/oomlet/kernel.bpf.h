/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as oomlet's policies see it: the few members they read, found by
 * CO-RE in whatever kernel runs, and the kfuncs they call. All that depends on
 * the proposed BPF OOM interface is here.
 */
#ifndef OOMLET_KERNEL_BPF_H
#define OOMLET_KERNEL_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };
#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
	BPF_MAP_TYPE_CGRP_STORAGE = 32,
};

enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#define __core __attribute__((preserve_access_index))

/* --- types ---------------------------------------------------------------------- */

struct kernfs_node {
	const char *name;
	__u64 id;
} __core;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	int nr_populated_csets;		/* from Linux 7.2 on; before, in struct cgroup */
} __core;

enum cgroup_subsys_id { memory_cgrp_id };

struct cgroup {
	struct cgroup_subsys_state self;
	struct cgroup_subsys_state *subsys[1];	/* by cgroup_subsys_id */
	int level;
	int nr_populated_domain_children;
	int nr_populated_threaded_children;
	struct kernfs_node *kn;
	struct psi_group *psi;
	struct cgroup *ancestors[];
} __core;

struct cgroup___before {
	int nr_populated_csets;
} __core;

/* Elements of psi_group's arrays, whose second dimension BTF does not have */
enum {
	PSI_MEM_SOME = 2,
	PSI_MEM_FULL = 3,
	PSI_AVERAGES = 3,		/* of 10, 60 and 300 s */
};

struct psi_group {
	__u64 total[4];			/* ns, since boot or the cgroup's beginning */
	unsigned long avg[4 * PSI_AVERAGES];
	__u64 avg_last_update;		/* ns; totals are of then */
	__u64 cgroup_id;
} __core;

typedef struct {
	__s64 counter;
} atomic_long_t;

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
	unsigned long high;
} __core;

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	struct page_counter swap;
	bool oom_group;
} __core;

typedef struct {
	int counter;
} atomic_t;

struct percpu_counter {
	__s64 count;
} __core;

enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS,
};

struct mm_struct {
	atomic_long_t pgtables_bytes;
	struct task_struct *owner;
	struct percpu_counter rss_stat[NR_MM_COUNTERS];
} __core;

/* Its flags: a word, a struct around it in later kernels */
struct mm_struct___word {
	unsigned long flags;
} __core;

typedef struct {
	unsigned long __mm_flags[1];
} __core mm_flags_t;

struct mm_struct___bitmap {
	mm_flags_t flags;
} __core;

enum { MMF_OOM_SKIP = 21 };		/* nothing (more) to be had from it */

struct signal_struct {
	atomic_t live;
	int nr_threads;
	unsigned int flags;
	struct mm_struct *oom_mm;	/* an OOM kill has chosen the process: what it had then */
	short oom_score_adj;
} __core;

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
} __core;

struct ns_common {
	unsigned int inum;
} __core;

struct pid_namespace {
	struct ns_common ns;
} __core;

struct upid {
	int nr;
	struct pid_namespace *ns;
} __core;

struct pid {
	unsigned int level;
	struct upid numbers[];
} __core;

struct css_set {
	struct cgroup_subsys_state *subsys[1];	/* by cgroup_subsys_id */
	struct cgroup *dfl_cgrp;
} __core;

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	int exit_state;
	struct task_struct *group_leader;
	__u64 start_boottime;
	char comm[16];
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct css_set *cgroups;
	const struct cred *cred;
} __core;

enum {
	PF_EXITING = 0x00000004,
	PF_DUMPCORE = 0x00000200,
	PF_KTHREAD = 0x00200000,
	SIGNAL_GROUP_EXIT = 0x00000004,
	SIGKILL = 9,
};

struct oom_control {
	struct mem_cgroup *memcg;	/* NULL: the system */
	int order;			/* -1: somebody asks for it, by sysrq-f */
} __core;

/* Flags of allocations, the same in all kernels (include/linux/gfp_types.h) */
enum {
	GFP_DMA = 0x1,
	GFP_DMA32 = 0x4,
	GFP_FS = 0x80,
	GFP_RETRY_MAYFAIL = 0x4000,
	GFP_THISNODE = 0x200000,
	COSTLY_ORDER = 3,
};

struct zone {
	unsigned long _watermark[3];
	unsigned long watermark_boost;
	long lowmem_reserve[4];
	atomic_long_t vm_stat[1];	/* free pages first */
} __core;

struct zoneref {
	struct zone *zone;
} __core;

struct bpf_struct_ops_link;

/* Whole: its size is checked, and its name */
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));

enum node_stat_item {
	NR_ACTIVE_FILE,
	NR_ANON_MAPPED,
	NR_FILE_MAPPED,
	NR_FILE_PAGES,
	NR_SHMEM,
	NR_SLAB_UNRECLAIMABLE_B,
	NR_KERNEL_STACK_KB,
	NR_PAGETABLE,
};

enum memcg_stat_item {
	MEMCG_KMEM,
};

/* Filled in by libbpf member by member, so it must be whole. The handler's second
 * argument differs from kernel to kernel.
 */
struct bpf_oom_ops {
	int (*handle_out_of_memory)(struct oom_control *oc, struct bpf_struct_ops_link *link);
	char name[64];
};

/* Opaque to programs; the kernel's size or more */
struct bpf_iter_css {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct bpf_iter_css_task {
	__u64 opaque[1];
} __attribute__((aligned(8)));

struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

enum { ROOT_CGROUP_ID = 1 };

enum {
	BPF_CGROUP_ITER_DESCENDANTS_PRE = 2,
	CSS_TASK_ITER_PROCS = 1,
	BPF_TASK_ITER_ALL_PROCS = 0,
	BPF_TASK_ITER_PROC_THREADS = 2,
};

/* --- kfuncs ------------------------------------------------------------------------ */

/* 0 also for a process that is dead, or whose memory is gone already: judge that yourself */
int bpf_oom_kill_process(struct oom_control *oc, struct task_struct *task,
			 const char *message__str) __ksym;

/* From Linux 7.0 on */
struct mem_cgroup *bpf_get_mem_cgroup(struct cgroup_subsys_state *css) __ksym __weak;
void bpf_put_mem_cgroup(struct mem_cgroup *memcg) __ksym __weak;
/* In bytes */
unsigned long bpf_mem_cgroup_page_state(struct mem_cgroup *memcg, int idx) __ksym __weak;
/* May sleep */
void bpf_mem_cgroup_flush_stats(struct mem_cgroup *memcg) __ksym __weak;
/* memcg NULL: the system, never its root memory cgroup, which is a BUG. May sleep */
int bpf_out_of_memory(struct mem_cgroup *memcg__nullable, int order, __u64 flags) __ksym;
enum { BPF_OOM_FLAGS_WAIT_ON_OOM_LOCK = 1 };
int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __ksym;
int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
/* A kernel refuses an object that names the other one, weak or not: so there are two objects, chosen by BTF */
#ifdef OOMLET_IMPLICIT_ARGUMENTS
int bpf_wq_set_callback(struct bpf_wq *wq, int (callback_fn)(void *map, int *key, void *value),
			unsigned int flags) __ksym;
#else
int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (callback_fn)(void *map, int *key, void *value),
			     unsigned int flags, void *aux__ign) __ksym;
#define bpf_wq_set_callback(wq, callback, flags) bpf_wq_set_callback_impl(wq, callback, flags, NULL)
#endif

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID };
/* From Linux 6.13 on; not from kernel threads, and not to a thread that exits */
int bpf_send_signal_task(struct task_struct *task, int sig, enum pid_type type, __u64 value) __ksym __weak;

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
/* pid is of the initial PID namespace, the result acquired */
struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;
struct cgroup *bpf_cgroup_from_id(__u64 cgid) __ksym;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start,
		     unsigned int flags) __ksym;
struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it) __ksym;
void bpf_iter_css_destroy(struct bpf_iter_css *it) __ksym;
int bpf_iter_css_task_new(struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
			  unsigned int flags) __ksym;
struct task_struct *bpf_iter_css_task_next(struct bpf_iter_css_task *it) __ksym;
void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it) __ksym;
int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

/* In the kernel's log before ": Killed process". A message is a constant to the kernel:
 * one call each.
 */
#define MESSAGE(ident, text) const char ident[] SEC(".rodata.messages") = "oomlet " text

/* Whether an OOM kill has chosen it, be it dying or dead. bpf_task_is_oom_victim() says the same to
 * struct_ops programs only.
 */
static inline __attribute__((always_inline)) bool task_is_oom_victim(struct task_struct *task)
{
	return task->signal->oom_mm != NULL;
}

/* Whether a kill would free nothing (more) of an address space: it has been reaped, or cannot be. */
static inline __attribute__((always_inline)) bool is_reaped(struct mm_struct *mm)
{
	unsigned long flags = 0;

	if (bpf_core_field_exists(((struct mm_struct___word *)mm)->flags))
		flags = ((struct mm_struct___word *)mm)->flags;
	else if (bpf_core_field_exists(((struct mm_struct___bitmap *)mm)->flags))
		flags = ((struct mm_struct___bitmap *)mm)->flags.__mm_flags[0];
	return flags >> MMF_OOM_SKIP & 1;
}

#endif
