#!/bin/bash
# 50 containers started at once, with nothing loaded before; all removed again.
# alone: 50 hooks at once have 20 s each
. "$(dirname "$0")/lib.sh"
count=50

for i in $(seq $count); do bundle "p$i" 64 largest-rss w=1; done
pids=()
for i in $(seq $count); do
    create "p$i" &
    pids+=($!)
done
failures=0
for pid in "${pids[@]}"; do wait "$pid" || ((++failures)); done
check "all $count were created" same "$failures" 0
check "all $count are attached, says link info" \
    same "$(oomlet status -o json | jq '[.attached[] | select(.attached and .cgroup_id > 0)] | length')" $count
check "each on its own cgroup, says the kernel" same "$(for i in "$cgroups"/*/; do "$out/links" "$i"; done | grep -c '^largest_rss$')" $count
pinned=$links
[[ $tier == bpf-oom ]] || pinned=/run/oomlet/containers
check "one of each, by what oomlet keeps" same "$(ls "$pinned" | wc -l)" $count
check "one policy and one set of maps were loaded" same "$(ls /sys/fs/bpf/oomlet/v1/policies)" largest-rss
pids=()
for i in $(seq $count); do
    remove "p$i" &
    pids+=($!)
done
wait "${pids[@]}"
check_clean
finish 11
