/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What oomlet's BPF programs and its user space both see: the values of the
 * pinned maps and the records of the ring buffer. Fixed widths, no implicit
 * padding; a change of layout or meaning is a new OOMLET_ABI_VERSION, which is
 * also the name of the directory of the pins, so that two versions never meet.
 */
#ifndef OOMLET_ABI_H
#define OOMLET_ABI_H

#ifdef __bpf__
/* the including program has declared __u32 and friends */
#else
#include <linux/types.h>
#endif

enum {
	OOMLET_ABI_VERSION = 1,

	OOMLET_COMM_SIZE = 16,		/* TASK_COMM_LEN */
	OOMLET_POLICY_SIZE = 64,
	OOMLET_ID_SIZE = 128,		/* container id */
	OOMLET_NAME_SIZE = 64,		/* container name, namespace: a DNS label */
	OOMLET_POD_SIZE = 256,		/* pod name: a DNS subdomain */
	OOMLET_PATH_SIZE = 512,		/* cgroup path; the rest is missing if longer */

	OOMLET_RING_BYTES = 1 << 20,
	OOMLET_PATTERNS = 8,		/* of each kind */
	OOMLET_ORDER_KEYS = 5,
	OOMLET_COMPARED_KEYS = 7,	/* those, OOMLET_ORDER_PROTECT and OOMLET_ORDER_CAUSE */
	OOMLET_EXPLAINED = 1024,	/* candidates that `explain` can show */
	OOMLET_STALL_SAMPLES = 32,
};

/* How policies decide on a kernel. */
enum oomlet_tier {
	OOMLET_TIER_BPF_OOM = 1,	/* struct bpf_oom_ops: the kernel asks */
	OOMLET_TIER_TRACING = 2,	/* tracing programs, before the kernel's own choice */
};

enum oomlet_trigger {
	OOMLET_TRIGGER_LIMIT = 1,	/* an allocation met a memory cgroup's limit */
	OOMLET_TRIGGER_SYSTEM = 2,	/* an allocation met the end of memory */
	OOMLET_TRIGGER_PRESSURE = 3,	/* declared by a BPF program */
};

enum oomlet_level {
	OOMLET_LEVEL_CONTAINER = 1,	/* at the container's cgroup or below it */
	OOMLET_LEVEL_POD = 2,
	OOMLET_LEVEL_SLICE = 3,		/* any cgroup with containers below it */
	OOMLET_LEVEL_SYSTEM = 4,
};

enum oomlet_outcome {
	OOMLET_OUTCOME_KILLED = 1,
	OOMLET_OUTCOME_DRY_RUN = 2,
	OOMLET_OUTCOME_STOOD_ASIDE = 3,	/* no candidate, or policy `kernel` */
	OOMLET_OUTCOME_FAILED = 4,	/* the kernel refused; see error */
};

/* Which process of a container dies. */
enum oomlet_victim {
	OOMLET_VICTIM_KERNEL = 0,	/* the kernel's measure; at the container's own OOM: stand aside */
	OOMLET_VICTIM_LARGEST_RSS = 1,
	OOMLET_VICTIM_LARGEST_MEMORY = 2,
	OOMLET_VICTIM_LARGEST_ANON = 3,
	OOMLET_VICTIM_LARGEST_SHMEM = 4,
	OOMLET_VICTIM_YOUNGEST = 5,
	OOMLET_VICTIM_OLDEST = 6,
	OOMLET_VICTIM_HIGHEST_OOM_SCORE = 7,
	OOMLET_VICTIM_CUSTOM = 8,
};

/* What dies with it. */
enum oomlet_kill {
	OOMLET_KILL_PROCESS = 1,
	OOMLET_KILL_CONTAINER = 2,
	OOMLET_KILL_POD = 3,
};

/* By what the containers of a pod, a slice or the system are compared; the first
 * key in which two differ decides. Each says which one gives way.
 */
enum oomlet_order {
	OOMLET_ORDER_PRIORITY = 0,	/* lowest priority */
	OOMLET_ORDER_QOS = 1,		/* BestEffort, Burstable and unknown, Guaranteed, no container */
	OOMLET_ORDER_OVER_REQUEST = 2,	/* most usage above its request */
	OOMLET_ORDER_USAGE = 3,		/* most usage */
	OOMLET_ORDER_YOUNGEST = 4,	/* cgroup made last */
	OOMLET_ORDER_PROTECT = 5,	/* not protected; of no order: comes before them */
	OOMLET_ORDER_CAUSE = 6,		/* under pressure, after that: whoever causes it */
	OOMLET_ORDER_END = 255,
};

enum oomlet_qos {
	OOMLET_QOS_UNKNOWN = 0,
	OOMLET_QOS_BEST_EFFORT = 1,
	OOMLET_QOS_BURSTABLE = 2,
	OOMLET_QOS_GUARANTEED = 3,
};

enum oomlet_kind {
	OOMLET_KIND_CONTAINER = 1,
	OOMLET_KIND_POD = 2,
	OOMLET_KIND_SLICE = 3,		/* of a QoS class: qos alone means something */
	OOMLET_KIND_KNOWN = 4,		/* a container without policy: identity, qos, request_bytes */
};

enum oomlet_pressure {
	OOMLET_PRESSURE_NONE = 0,
	OOMLET_PRESSURE_SOME = 1,
	OOMLET_PRESSURE_FULL = 2,
};

enum oomlet_params_flags {
	OOMLET_DRY_RUN = 1 << 0,
	OOMLET_PROTECT_INIT = 1 << 1,
	OOMLET_PREFER_INIT = 1 << 2,
	OOMLET_BY_NODE = 1 << 3,	/* the node's configuration asks for it, not a policy */
};

/* Who a container is: what the hook knows and a record repeats, so that a record
 * can be read when the container is long gone. NUL-terminated UTF-8, "" if unknown.
 */
struct oomlet_identity {
	char id[OOMLET_ID_SIZE];
	char name[OOMLET_NAME_SIZE];
	char pod[OOMLET_POD_SIZE];
	char pod_namespace[OOMLET_NAME_SIZE];
};

/* A comm with `*` for any number of characters, as bits of "so many literals have
 * been matched": bit n of `stars` says that a star follows n literals, `accept` is
 * the bit of all of them.
 */
struct oomlet_pattern {
	char literals[OOMLET_COMM_SIZE];
	__u32 stars;
	__u32 accept;
};

/* Value of map `params`, BPF_MAP_TYPE_CGRP_STORAGE: what one container asked for, or
 * what its containers asked for their pod. It dies with its cgroup.
 */
struct oomlet_params {
	__u32 abi_version;
	__u32 kind;			/* enum oomlet_kind */
	__u32 flags;			/* enum oomlet_params_flags */
	__u32 victim;			/* enum oomlet_victim */
	__u32 kill;			/* enum oomlet_kill */
	__u32 qos;			/* enum oomlet_qos */
	__s32 priority;
	__u32 custom_id;		/* of the map of the custom policy, or 0 */
	__u32 init_tgid;		/* the container's PID 1 in the initial PID namespace, or 0 */
	__u32 init_pid_namespace;	/* inode number of the PID namespace it is 1 of, or 0 */
	__u32 protect_count;
	__u32 prefer_count;
	__u8 order[8];			/* enum oomlet_order, up to OOMLET_ORDER_END; of a pod */
	__u64 min_size_bytes;
	__u64 request_bytes;
	struct oomlet_pattern protect[OOMLET_PATTERNS];
	struct oomlet_pattern prefer[OOMLET_PATTERNS];
	char policy[OOMLET_POLICY_SIZE];
	struct oomlet_identity identity;
};

/* Value of map `pressure`, BPF_MAP_TYPE_CGRP_STORAGE: when tasks of a cgroup that stall for
 * want of memory are called an OOM of it. Written by user space at any time.
 */
struct oomlet_pressure_limit {
	__u32 kind;			/* enum oomlet_pressure */
	__u32 permille;			/* of the window that tasks stall */
	__u64 window_ns;
	__u64 for_ns;			/* how long it must hold */
	__u64 cooldown_ns;		/* from one OOM to the next */
	__u32 available_permille;	/* only while less than that of RAM is available; 0: always */
	__u32 flags;			/* enum oomlet_params_flags: OOMLET_DRY_RUN, OOMLET_BY_NODE */
};

/* Value of map `stalls`, BPF_MAP_TYPE_CGRP_STORAGE: how a cgroup in map `pressure` does.
 * Written by the kernel side, about every 2 s while any of its tasks is not idle. Times are
 * of CLOCK_BOOTTIME.
 */
struct oomlet_stall {
	__u32 kind;			/* what the rest is about */
	__u32 permille;			/* of the window, at the last look */
	__u64 window_ns;
	__u64 looked_at_ns;		/* the last look */
	__u64 total_ns;			/* of stalls, then */
	__u64 since_ns;			/* since when it has been over the limit; 0: it is not */
	__u64 held_ns;			/* for how long it was, at the last OOM */
	__u64 declared_at_ns;		/* the last OOM, also one that nobody had to die for; 0: none */
	__u32 declared;			/* OOMs */
	__u32 samples;			/* taken so far; the latest are below, at their number modulo */
	__u64 sampled_at_ns[OOMLET_STALL_SAMPLES];
	__u64 sampled_total_ns[OOMLET_STALL_SAMPLES];
	__u64 summed_at_ns;		/* when the kernel had summed up stalls, by a clock of its own; tier `tracing` */
};

/* Value of map `marks`, BPF_MAP_TYPE_CGRP_STORAGE: what the node's configuration says of a
 * cgroup and all below it, whoever is there.
 */
struct oomlet_mark {
	__u32 protect;			/* gives way last at the OOM of a slice or the system */
	__u32 pad;
};

/* Memory of one process, in bytes; off by at most 32 pages a CPU and kind
 * (the kernel's per-CPU counters).
 */
struct oomlet_memory {
	__u64 anon_bytes;
	__u64 file_bytes;
	__u64 shmem_bytes;
	__u64 swap_bytes;
	__u64 pgtables_bytes;
};

struct oomlet_process {
	__u32 tgid;			/* in the initial PID namespace; 0: no process */
	__u32 uid;
	__s32 oom_score_adj;
	__u32 pad;
	__u64 start_boottime_ns;
	char comm[OOMLET_COMM_SIZE];
	struct oomlet_memory memory;
};

/* Candidates are compared by class, then score, then size, then start, then tgid; the
 * highest dies.
 */
enum oomlet_class {
	OOMLET_CLASS_PROTECTED = 0,
	OOMLET_CLASS_SMALL = 1,		/* below min-size */
	OOMLET_CLASS_PLAIN = 2,
	OOMLET_CLASS_PREFERRED = 3,
};

struct oomlet_rank {
	__u64 class_;			/* enum oomlet_class */
	__u64 score;			/* the victim rule's measure */
	__u64 size_bytes;		/* rss + swap + page tables */
	__u64 start_boottime_ns;
	__u32 tgid;			/* 0: none */
	__u32 pad;
};

enum oomlet_record_flags {
	OOMLET_TRUNCATED = 1 << 0,	/* there were more tasks or cgroups than are looked at */
	OOMLET_ALL_PROTECTED = 1 << 1,	/* the victim is protected: nothing else was left */
	OOMLET_ALL_SMALL = 1 << 2,	/* the victim is below min-size: nothing larger was left */
	OOMLET_GROUP_DRIFT = 1 << 3,	/* memory.oom.group made it more than one process */
	OOMLET_CUSTOM_MISSING = 1 << 4,	/* the custom policy did not answer: the kernel's measure */
	OOMLET_NO_POLICY = 1 << 5,	/* the container has none: the kernel's measure */
	OOMLET_MEMORY_AVAILABLE = 1 << 6,/* the system stalls, but has memory: nobody dies for that */
	OOMLET_CONTAINER_PROTECTED = 1 << 7, /* the container is marked: nothing else was left */
	OOMLET_POLICY_IS_DRY_RUN = 1 << 8, /* the container's, which does not count here: the kernel's measure */
	OOMLET_BY_SIGNAL = 1 << 9,	/* killed by SIGKILL: the kernel counts and logs no OOM kill */
};

/* One decision. */
struct oomlet_record {
	__u32 abi_version;
	__u32 trigger;			/* enum oomlet_trigger */
	__u32 level;			/* enum oomlet_level */
	__u32 outcome;			/* enum oomlet_outcome */
	__s32 error;			/* negative errno of the kill, or 0 */
	__u32 flags;			/* enum oomlet_record_flags */
	__u32 victim_rule;		/* enum oomlet_victim */
	__u32 kill;			/* enum oomlet_kill */
	__u32 candidates;		/* processes that could have been chosen in the container */
	__u32 containers;		/* that were compared */
	__u32 also_killed;		/* processes that died for the victim's sake, by our hand */
	__u32 decided_by;		/* enum oomlet_order: the key that chose the container, or OOMLET_ORDER_END */
	__u64 boottime_ns;		/* CLOCK_BOOTTIME at the start of the decision */
	__u64 decision_ns;		/* until the victim was known */
	__u64 usage_bytes;		/* memory.current of what ran out */
	__u64 limit_bytes;		/* memory.max of it; ~0: none */
	__u64 limit_cgroup_id;		/* 1, the root, for the system */
	__u64 container_cgroup_id;
	__u64 container_usage_bytes;
	__u64 next_cgroup_id;		/* the container that came second, or 0 */
	__u64 next_usage_bytes;
	__u64 victim_score;
	__u64 runner_up_score;
	__u32 victim_class;		/* enum oomlet_class */
	__u32 runner_up_class;
	/* Of usage_bytes (memory.stat): what has no process, too */
	__u64 charged_anon_bytes;
	__u64 charged_file_bytes;	/* with shmem */
	__u64 charged_mapped_bytes;	/* of that */
	__u64 charged_shmem_bytes;
	__u64 charged_kernel_bytes;
	__u32 pressure;			/* enum oomlet_pressure, of a trigger that is pressure */
	__u32 pressure_permille;	/* as it was */
	__u32 pressure_limit_permille;
	__u32 repeats;			/* the same, not on record, since the last record of it */
	__u64 pressure_held_ns;		/* how long it had been over the limit */
	__u32 tier;			/* enum oomlet_tier */
	__u32 reserved;
	/* What was compared, by enum oomlet_order; the higher gives way. Priority: 2^31 - 1 less
	 * the priority. QoS: 3 BestEffort, 2 Burstable or unknown, 1 Guaranteed, 0 no container.
	 * Youngest: the cgroup's id. Protect: 0 protected.
	 */
	__u64 container_keys[OOMLET_COMPARED_KEYS];
	__u64 next_keys[OOMLET_COMPARED_KEYS];
	__u8 order[8];			/* as in oomlet_params */
	char policy[OOMLET_POLICY_SIZE];
	struct oomlet_identity container;
	struct oomlet_identity next;
	char limit_cgroup[OOMLET_PATH_SIZE];
	char container_cgroup[OOMLET_PATH_SIZE];
	char next_cgroup[OOMLET_PATH_SIZE];
	struct oomlet_process victim;
	struct oomlet_process runner_up;
};

/* How the running kernel wants a policy attached to a cgroup; found in BTF when
 * the maps are made and kept with them, since BTF takes milliseconds to read.
 */
enum oomlet_attach_style {
	OOMLET_ATTACH_NONE = 0,
	OOMLET_ATTACH_CGROUP_FLAG = 1,	/* target_fd with BPF_F_CGROUP_FD */
	OOMLET_ATTACH_CGROUP_TARGET = 2,/* target_fd alone */
	OOMLET_ATTACH_STORAGE = 3,	/* an entry in map `attached`: tier `tracing` */
};

/* Value of map `attached`, BPF_MAP_TYPE_CGRP_STORAGE, on kernels without struct bpf_oom_ops: a policy is in force on
 * the cgroup. There it is that instead of a link.
 */
struct oomlet_attached {
	__u32 kind;			/* enum oomlet_kind; of the root: OOMLET_KIND_SLICE */
	__u32 pad;
};

/* Value of map `state`, an array of one. */
struct oomlet_state {
	__u64 ram_bytes;		/* of the machine, for oom_score */
	__u64 swap_bytes;
	__u64 inexact_bytes;		/* by how much sizes of two processes may be off, see oomlet_memory */
	__u32 attach_style;		/* enum oomlet_attach_style */
	__u32 custom_btf_id;		/* of oomlet_custom() in the handler's types */
	__u8 order[8];			/* of slices and the system, as in oomlet_params */
};

/* Value of map `counts`, an array of one. Written by the kernel side alone. */
struct oomlet_counts {
	__u64 records_lost;		/* the ring buffer was full */
};

/* Value of map `custom`, one for each OOMLET_SLOT: the answer of a custom policy. */
struct oomlet_custom {
	__u64 score;
	__u32 answered;
	__u32 pad;
};

/* Who decides: the handler, one at a time under the kernel's oom_lock, `explain`, one at
 * a time under user space's lock, or the watch for pressure, one at a time by its own.
 */
enum {
	OOMLET_SLOT_HANDLER = 0,
	OOMLET_SLOT_EXPLAIN = 1,
	OOMLET_SLOT_PRESSURE = 2,
	OOMLET_SLOTS = 3,
};

/* A process that could be chosen; element of map `explained`. */
struct oomlet_candidate {
	struct oomlet_rank rank;
	struct oomlet_process process;
};

/* Context of program `explain`. */
struct oomlet_question {
	__u64 cgroup_id;		/* what is supposed to run out of memory; 1: the system */
	__u64 container_cgroup_id;	/* whose candidates to list; 0: nobody's */
	__u32 by_pressure;		/* 1: its tasks stall for want of memory; 0: it has none left */
	__u32 reserved;
	/* out */
	__s32 error;			/* negative errno, or 0 */
	__u32 explained;		/* elements of map `explained` */
};

_Static_assert(sizeof(struct oomlet_identity) == 512, "identity");
_Static_assert(sizeof(struct oomlet_pattern) == 24, "pattern");
_Static_assert(sizeof(struct oomlet_params) == 48 + 8 + 16 + 384 + 64 + 512, "params");
_Static_assert(sizeof(struct oomlet_process) == 80, "process");
_Static_assert(sizeof(struct oomlet_rank) == 40, "rank");
_Static_assert(sizeof(struct oomlet_record) == 48 + 88 + 48 + 24 + 8 + 112 + 8 + 64 + 1024 + 1536 + 160, "record");
_Static_assert(sizeof(struct oomlet_pressure_limit) == 40, "pressure");
_Static_assert(sizeof(struct oomlet_stall) == 72 + 16 * OOMLET_STALL_SAMPLES, "stall");
_Static_assert(sizeof(struct oomlet_mark) == 8, "mark");
_Static_assert(sizeof(struct oomlet_state) == 40, "state");
_Static_assert(sizeof(struct oomlet_question) == 32, "question");

#endif
