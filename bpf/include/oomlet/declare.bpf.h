/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declares OOMs of pressure to the kernel, by work items: the look at stalls can't sleep.
 */
#ifndef OOMLET_DECLARE_BPF_H
#define OOMLET_DECLARE_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"

#define WORKS 16U

struct declaration {
	__u64 cgroup_id;
	__u32 busy;
	__u32 declaring_pid;		/* of the task that declares just now; 0: none */
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WORKS);
	__type(key, __u32);
	__type(value, struct declaration);
	/* It works for as long as the map is pinned */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} declarations SEC(".maps");

/* Whether there was a free work item to do it. */
static __always_inline bool start_declaration(__u64 cgroup_id,
					      int (callback)(void *map, int *key, void *value))
{
	struct bpf_iter_num numbers;
	struct declaration *d;
	bool started = false;
	int *i;

	bpf_iter_num_new(&numbers, 0, WORKS);
	while (!started && (i = bpf_iter_num_next(&numbers))) {
		__u32 at = *i;

		d = bpf_map_lookup_elem(&declarations, &at);
		if (!d || __sync_val_compare_and_swap(&d->busy, 0, 1))
			continue;
		d->cgroup_id = cgroup_id;
		/* Fails from the second time on */
		bpf_wq_init(&d->work, &declarations, 0);
		started = !bpf_wq_set_callback(&d->work, callback, 0) && !bpf_wq_start(&d->work, 0);
		if (!started)
			d->busy = 0;
	}
	bpf_iter_num_destroy(&numbers);
	return started;
}

/* Whether the OOM that is being handled has been declared by oomlet: the handler runs in the task that did. */
static __noinline bool is_declared(void)
{
	__u32 pid = bpf_get_current_task_btf()->pid;
	struct bpf_iter_num numbers;
	struct declaration *d;
	bool declared = false;
	int *i;

	bpf_iter_num_new(&numbers, 0, WORKS);
	while (!declared && (i = bpf_iter_num_next(&numbers))) {
		__u32 at = *i;

		d = bpf_map_lookup_elem(&declarations, &at);
		declared = d && d->declaring_pid == pid;
	}
	bpf_iter_num_destroy(&numbers);
	return declared;
}

#endif
