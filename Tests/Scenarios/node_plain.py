#!/usr/bin/python3
# The three pods of scenario node, on a kernel without OOM policies: its choice at the node's OOM is another one.
# needs bpf-oom: it has a kernel of its own
# vm: --kernel stock:6.1 --memory 1024
from threepods import *

CASES = [
    ("as large as their class is high", BY_QOS, "the largest, the Guaranteed pod", both("guaranteed")),
    ("with the kubelet's oom_score_adj", BY_PRIORITY, "the BestEffort pod, not the one of low priority", both("besteffort")),
]

ballast = take_memory(leaving_mib=250)
for what, (shape, named), own, expected in CASES:
    pods = Pods(**shape)
    started = [getattr(pods, name).hook() for name in shape["policies"]]
    check(f"{what}: they start, without policy", all(status == 0 and "has no BPF OOM policies" in said for status, said in started), started)
    got = pods.deaths(lambda: exhaust_memory(pods.top))
    same(f"  the kernel takes {own}", got, expected)
    same("  and nobody whom the node's order names", set(got) & set(named), set())
    pods.remove()
ballast.end()
check_clean(TOP)
finish(12)
