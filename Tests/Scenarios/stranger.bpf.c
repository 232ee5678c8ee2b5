// SPDX-License-Identifier: GPL-2.0-only
/* An OOM policy that is not oomlet's: it leaves all to the kernel. */
#include <oomlet/kernel.bpf.h>

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/handle_out_of_memory")
int decline(void *context)
{
	return 0;
}

SEC(".struct_ops")
struct bpf_oom_ops stranger = {
	.handle_out_of_memory = (void *)decline,
	.name = "stranger",
};
