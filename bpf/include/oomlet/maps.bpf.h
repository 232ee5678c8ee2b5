/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, pinned by name: whoever loads oomlet's programs first makes them, the
 * others find them.
 */
#ifndef OOMLET_MAPS_BPF_H
#define OOMLET_MAPS_BPF_H

#include "kernel.bpf.h"
#include "oomlet_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct oomlet_params);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} params SEC(".maps");

/* Apart from params: containers come and go, and what they store there with them */
struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct oomlet_mark);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct oomlet_pressure_limit);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} pressure SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct oomlet_stall);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} stalls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, OOMLET_RING_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oomlet_state);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oomlet_counts);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OOMLET_EXPLAINED);
	__type(key, __u32);
	__type(value, struct oomlet_candidate);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} explained SEC(".maps");

/* The record that `explain` would have written */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oomlet_record);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} explanation SEC(".maps");

static __always_inline struct oomlet_state *shared_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&state, &zero);
}

#endif
