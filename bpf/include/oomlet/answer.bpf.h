/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a custom policy answers; see policy.bpf.h for its side.
 */
#ifndef OOMLET_ANSWER_BPF_H
#define OOMLET_ANSWER_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OOMLET_SLOTS);
	__type(key, __u32);
	__type(value, struct oomlet_custom);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} custom SEC(".maps");

#endif
