#!/bin/bash
# Whose cgroup it is: ids that two runtimes use, first processes that have moved on, cgroup namespaces, poststops that are lost.
# core
. "$(dirname "$0")/lib.sh"

in_a() { runc --root /run/containerd/runc/a "$@"; }
in_b() { runc --root /run/containerd/runc/b "$@"; }

# What only the agent can attach
without_hooks() { edit "$1" '/"hooks"/,/^    },/d'; }
without_poststop() { edit "$1" '/"createRuntime"/s/,$//; /"poststop"/d'; }
is_on() { [[ $(links_on "$1") == "$2" ]]; }

echo "== one id in two state directories"
start_agent
for name in a b; do
    bundle $name 128 youngest w=5
    check "both are called web: $name starts" eval "in_$name create --bundle $work/$name web >$work/$name/log 2>&1 </dev/null && in_$name start web"
done
check "each has its policy" same "$(links_on a) $(links_on b)" "youngest youngest"
check "status has both" same "$(oomlet status -o json | "$out/get" attached | grep -o '"web"' | wc -l)" 2
check "explain asks which" contains "$(oomlet explain web 2>&1)" '"web" could be /oomlet-test/a or /oomlet-test/b'
check "and is told by the cgroup" contains "$(oomlet explain /oomlet-test/b)" youngest
in_b kill web KILL
until_ 10 is_empty b
in_b delete --force web
check "the end of one takes its own policy off" until_ 5 test ! -e "$links/$(stat -c %i "$cgroups/b" 2>/dev/null || echo gone)"
check "the other keeps its" same "$(links_on a)" youngest
bundle c 128 "" w=5
in_b create --bundle "$work/c" web >"$work/c/log" 2>&1 </dev/null
in_b start web
in_b kill web KILL
until_ 10 is_empty c
in_b delete --force web
check "so it does when one without annotation ends" same "$(links_on a)" youngest
check "and it is known by its name" same "$(cat /run/oomlet/containers/*.json | "$out/get" id cgroup)" "web /oomlet-test/a"
in_a kill web KILL
until_ 10 is_empty a
in_a delete --force web
check "then nothing is left" until_ 10 same "$(ls "$links" /run/oomlet/containers)" "$(printf '%s:\n\n%s:' /run/oomlet/containers "$links")"
kill "$agent"
wait "$agent"
rm -rf "$work"/[abc]

echo "== a first process that has moved on"
for runtime in runc crun; do
    bundle nested 256 largest-rss web=20 api=100 batch=10
    without_hooks nested
    launch nested
    mkdir "$cgroups/nested/inner"
    pid_in_state nested >"$cgroups/nested/inner/cgroup.procs"
    start_agent
    check "$runtime: the policy is on the cgroup that it made" until_ 10 is_on nested largest_rss
    check "  and not on the one inside" same "$(links_on nested/inner)" ""
    before=$(processes nested)
    tell nested "grow api 200"
    oom_over nested
    check "  its limit is the container's: the largest dies" same "$(died "$before" "$(processes nested)")" api
    until_ 5 has_record nested
    check "  on record as that" same "$(fields nested level victim.comm container.cgroup)" "container api /oomlet-test/nested"
    check "  a reload changes nothing" eval "oomlet reload && is_on nested largest_rss"
    kill "$agent"
    wait "$agent"
    "$runtime" kill nested KILL
    until_ 10 is_empty nested
    until_ 10 is_empty nested/inner
    rmdir "$cgroups/nested/inner"
    remove nested
done
check "nobody had a reason to complain" not grep -E "gets no policy|another container" "$work/agent.log"
runtime=runc

echo "== an agent in a cgroup namespace of its own"
node=/sys/fs/cgroup/node
mkdir -p "$node/pod/agent"
bundle found 256 largest-rss web=20 api=100
without_hooks found
launch found
enter() { echo $BASHPID >"$node/pod/agent/cgroup.procs" && exec unshare -C "$@"; }
(enter oomlet agent 2>>"$work/agent.log") &
agent=$!
check "it finds the container all the same" until_ 10 is_on found largest_rss
check "nothing is degraded" same "$(oomlet status -o json | "$out/get" service.degraded)" "[]"
check "its own cgroup has no policy" same "$("$out/links" "$node/pod/agent")" ""
check "the node's has" same "$("$out/links" /sys/fs/cgroup)" system
check "doctor there has nothing to say of cgroups" \
    contains "$( (enter oomlet doctor) 2>&1)" "cgroup v2, with the memory controller"
kill "$agent"
wait "$agent"
remove found

(enter -m sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec oomlet agent' 2>>"$work/part.log") &
agent=$!
check "where it sees its own cgroups alone, it says so" until_ 10 grep -q \
    "degraded: .*/sys/fs/cgroup shows a part of the node's cgroups: in a container, mount the node's /sys/fs/cgroup at /sys/fs/cgroup" "$work/part.log"
check "and does nothing to its own" same "$("$out/links" "$node/pod/agent")" ""
check "doctor has the remedy" contains \
    "$( (enter -m sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec oomlet doctor') 2>&1)" "mount the node's /sys/fs/cgroup"
kill "$agent"
wait "$agent"
rmdir "$node/pod/agent" "$node/pod" "$node"
# What its agents have written to files in memory stays charged to it, and keeps it
rm -rf /run/oomlet /var/lib/oomlet "$work"/*.log

echo "== poststops that are lost"
for n in 1 2 3; do
    bundle lost$n 64 youngest w=1
    without_poststop lost$n
    launch lost$n
done
for n in 1 2 3; do remove lost$n; done
left=$links
[[ $tier == bpf-oom ]] || left=/run/oomlet/containers
check "something of three is left" same "$(ls "$left" | wc -l)" 3
bundle next 64 "" w=1
launch next
check "the next hook takes them away, though it has nothing else to do" same "$(ls "$links" /run/oomlet/containers)" \
    "$(printf '%s:\n\n%s:' /run/oomlet/containers "$links")"
remove next
check_clean
finish 38
