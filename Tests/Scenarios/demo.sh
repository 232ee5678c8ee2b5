#!/bin/bash
# The story in three acts: the same container runs out of memory without policy, with
# largest-rss, with youngest.
# core
# takes 15
. "$(dirname "$0")/lib.sh"

show() { # title, container
    local pid comm
    echo "  $1"
    processes "$2" | while read -r pid comm; do
        printf '    %6s  %-12s %4s MiB\n' "$pid" "$comm" "$(rss_mib "$pid")"
    done
    [[ -n $(processes "$2") ]] || echo "    nobody: the container is dead"
}

act() { # container, title, annotation
    echo
    echo "== $2"
    bundle "$1" 256 "$3" web=20 api=100 batch=10
    launch "$1"
    tell "$1" "grow batch 60"
    until_ 20 has_mib "$1" batch 69
    before=$(processes "$1")
    show "before (memory.max 256 MiB, started in this order; workload is the supervisor):" "$1"
    echo "  api grows by 100 MiB ..."
    tell "$1" "grow api 100"
    oom_over "$1"
    after=$(processes "$1")
    show "after:" "$1"
    victims=$(died "$before" "$after")
    echo "  killed: ${victims:-nobody}"
    grep died "$work/$1/log" | sed 's/^/  supervisor: /'
}

story() { # container
    until_ 5 has_record "$1"
    echo "  oomlet: $(fields "$1" sentence)"
    echo "  the record:"
    record "$1" | jq . | sed 's/^/    /'
    echo "  the kernel's log: $(dmesg | grep -o 'oomlet [a-z-]*: Killed process.*' | tail -n 1 | cut -d, -f1)"
}

start_agent
act control "Control: no annotation. The kernel kills the whole container (memory.oom.group=1, as the kubelet sets it)" ""
check "without policy all die: supervisor and workers" same "$victims" "api batch web workload"
remove control

act largest "oom.policy: largest-rss" largest-rss
story largest
check "only the largest worker died" same "$victims" api
check "the record names it" same "$(fields largest victim.comm)" api
check "it was restarted" grep -q "worker api .* restarted" "$work/largest/log"
remove largest

act youngest "oom.policy: youngest" youngest
story youngest
check "the youngest worker died, though api was larger" same "$victims" batch
check "the record names it" same "$(fields youngest victim.comm)" batch
check "the runner-up was the one started before it" same "$(fields youngest runner_up.comm)" api
remove youngest

echo
kill "$agent"
wait "$agent"
check_clean
finish 13
