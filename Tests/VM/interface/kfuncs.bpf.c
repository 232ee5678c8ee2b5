// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program for each kfunc and type of program; oomtest.c knows which the kernel
 * must load.  None of them is ever run.
 */
#include "kernel.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const char why[] SEC(".rodata.msg") = "no reason";

#define KILL	bpf_oom_kill_process((struct oom_control *)NULL, bpf_get_current_task_btf(), why)
#define VICTIM	bpf_task_is_oom_victim(bpf_get_current_task_btf())
#define DECLARE	bpf_out_of_memory(NULL, 0, 0)
#define MEMCG								\
	struct mem_cgroup *m = bpf_get_root_mem_cgroup();		\
	if (m) {							\
		bpf_mem_cgroup_usage(m);				\
		bpf_mem_cgroup_memory_events(m, MEMCG_OOM);		\
		bpf_mem_cgroup_vm_events(m, PGFAULT);			\
		bpf_mem_cgroup_page_state(m, NR_ANON_MAPPED);		\
		bpf_put_mem_cgroup(m);					\
	}
#define FLUSH								\
	struct mem_cgroup *m = bpf_get_root_mem_cgroup();		\
	if (m) {							\
		bpf_mem_cgroup_flush_stats(m);				\
		bpf_put_mem_cgroup(m);					\
	}

SEC("struct_ops/kill_policy")
int BPF_PROG(kill_policy, struct oom_control *oc)
{
	return bpf_oom_kill_process(oc, bpf_get_current_task_btf(), why);
}

/* Its program does not sleep */
SEC("struct_ops/kill_awake")
int BPF_PROG(kill_awake, struct oom_control *oc)
{
	return bpf_oom_kill_process(oc, bpf_get_current_task_btf(), why);
}

SEC("struct_ops/victim_awake")
int BPF_PROG(victim_awake, struct oom_control *oc)
{
	return VICTIM;
}

SEC("fentry.s/bpf_fentry_test1")
int BPF_PROG(kill_fentry)
{
	KILL;
	return 0;
}

#define ALL(name, body)							\
	SEC("struct_ops/" #name "_policy") int name##_policy(void *ctx) { body; return 0; } \
	SEC("struct_ops/" #name "_tcp") int name##_tcp(void *ctx) { body; return 0; } \
	REST(name, body)
#define REST(name, body)						\
	SEC("tp_btf/psi_avgs_work") int name##_psi(void *ctx) { body; return 0; } \
	SEC("tp_btf/mark_victim") int name##_tp_btf(void *ctx) { body; return 0; } \
	SEC("syscall") int name##_syscall(void *ctx) { body; return 0; }	\
	SEC("kprobe/__x64_sys_getpgid") int name##_kprobe(void *ctx) { body; return 0; } \
	SEC("raw_tp/sys_enter") int name##_raw_tp(void *ctx) { body; return 0; } \
	SEC("perf_event") int name##_perf_event(void *ctx) { body; return 0; }	\
	SEC("lsm.s/file_open") int name##_lsm(void *ctx) { body; return 0; }	\
	SEC("cgroup_skb/egress") int name##_cgroup_skb(void *ctx) { body; return 1; }
#define SLEEPS(name, body)						\
	SEC("fentry.s/bpf_fentry_test1") int name##_fentry(void *ctx) { body; return 0; }

REST(kill, KILL)
ALL(victim, VICTIM) SLEEPS(victim, VICTIM)
ALL(declare, DECLARE) SLEEPS(declare, DECLARE)
ALL(memcg, MEMCG) SLEEPS(memcg, MEMCG)
ALL(flush, FLUSH) SLEEPS(flush, FLUSH)

#define POLICY(prog)					\
	SEC(".struct_ops") struct bpf_oom_ops prog##_map = { .handle_out_of_memory = (void *)prog }
#define TCP(prog)					\
	SEC(".struct_ops") struct tcp_congestion_ops prog##_map = { .ssthresh = (void *)prog, .name = #prog }
POLICY(kill_policy);
POLICY(kill_awake);
POLICY(victim_policy);
POLICY(victim_awake);
POLICY(declare_policy);
POLICY(memcg_policy);
POLICY(flush_policy);
TCP(victim_tcp);
TCP(declare_tcp);
TCP(memcg_tcp);
TCP(flush_tcp);
