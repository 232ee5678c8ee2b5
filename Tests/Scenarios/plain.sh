#!/bin/bash
# A kernel on which no policy can decide.
# needs bpf-oom: it has a kernel of its own
# vm: --kernel stock:6.1
. "$(dirname "$0")/lib.sh"

bundle annotated 64 largest-rss w=1
check "a container with annotation starts" create annotated
check "without policy, with one warning" same "$(wc -l </run/oomlet/hook.log)" 1
check "that says why" grep -q "this kernel has no BPF OOM policies" /run/oomlet/hook.log
check "its memory.oom.group is as the runtime set it" same "$(cat "$cgroups/annotated/memory.oom.group")" 1
remove annotated
bundle other 64 largest-rss w=1
check "another one starts, too" create other
check "and the warning is not there twice" same "$(wc -l </run/oomlet/hook.log)" 1
remove other
bundle plain 64 "" w=1
check "one without annotation starts, and nothing is said" create plain
check "nothing was said" same "$(wc -l </run/oomlet/hook.log)" 1
remove plain
bundle typo 64 largets-rss w=1
check "an invalid annotation is still refused" not create typo
remove typo
check "status says unsupported" contains "$(oomlet status)" "unsupported: this kernel has no BPF OOM policies"
oomlet agent 2>"$work/agent.log" &
agent=$!
check "the agent runs, degraded" until_ 10 grep -q "degraded: this kernel has no BPF OOM policies" "$work/agent.log"
kill "$agent"
check "and ends cleanly" wait "$agent"
check_clean
finish 18
