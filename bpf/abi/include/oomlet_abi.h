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
	OOMLET_POLICY_SIZE = 64,	/* BPF_OOM_NAME_MAX_LEN */
	OOMLET_ID_SIZE = 128,		/* container id */
	OOMLET_NAME_SIZE = 64,		/* container name: a DNS label */
	OOMLET_POD_SIZE = 256,		/* pod name: a DNS subdomain */
	OOMLET_PATH_SIZE = 512,		/* cgroup path; cut from the left if longer */

	OOMLET_RING_BYTES = 1 << 20,
};

enum oomlet_trigger {
	OOMLET_TRIGGER_LIMIT = 1,	/* an allocation met a memory cgroup's limit */
	OOMLET_TRIGGER_SYSTEM = 2,	/* an allocation met the end of memory */
	OOMLET_TRIGGER_PRESSURE = 3,	/* declared by a BPF program */
};

enum oomlet_level {
	OOMLET_LEVEL_CONTAINER = 1,	/* at the container's cgroup or below it */
	OOMLET_LEVEL_POD = 2,
	OOMLET_LEVEL_SLICE = 3,
	OOMLET_LEVEL_SYSTEM = 4,
};

enum oomlet_outcome {
	OOMLET_OUTCOME_KILLED = 1,
	OOMLET_OUTCOME_DRY_RUN = 2,
	OOMLET_OUTCOME_STOOD_ASIDE = 3,	/* no candidate: the kernel's killer runs */
	OOMLET_OUTCOME_FAILED = 4,	/* the kernel refused; see error */
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

/* Value of map `params`, BPF_MAP_TYPE_CGRP_STORAGE: what one container asked for.
 * It dies with its cgroup.
 */
struct oomlet_params {
	__u32 abi_version;
	__u32 flags;			/* none yet: 0 */
	struct oomlet_identity identity;
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

/* One decision. */
struct oomlet_record {
	__u32 abi_version;
	__u32 trigger;			/* enum oomlet_trigger */
	__u32 level;			/* enum oomlet_level */
	__u32 outcome;			/* enum oomlet_outcome */
	__s32 error;			/* negative errno of the kill, or 0 */
	__u32 candidates;		/* processes that could have been chosen */
	__u64 boottime_ns;		/* CLOCK_BOOTTIME at the start of the decision */
	__u64 decision_ns;		/* until the victim was known */
	__u64 usage_bytes;		/* memory.current of what ran out */
	__u64 limit_bytes;		/* memory.max of it; ~0: none */
	__u64 limit_cgroup_id;		/* 1, the root, for the system */
	__u64 container_cgroup_id;
	char policy[OOMLET_POLICY_SIZE];
	struct oomlet_identity container;
	char limit_cgroup[OOMLET_PATH_SIZE];
	char container_cgroup[OOMLET_PATH_SIZE];
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
};

/* Value of map `state`, an array of one. */
struct oomlet_state {
	__u64 records_lost;		/* the ring buffer was full */
	__u32 attach_style;		/* enum oomlet_attach_style */
	__u32 pad;
};

_Static_assert(sizeof(struct oomlet_identity) == 512, "identity");
_Static_assert(sizeof(struct oomlet_params) == 520, "params");
_Static_assert(sizeof(struct oomlet_process) == 80, "process");
_Static_assert(sizeof(struct oomlet_record) == 72 + 64 + 512 + 1024 + 160, "record");
_Static_assert(sizeof(struct oomlet_state) == 16, "state");

#endif
