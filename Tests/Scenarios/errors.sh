#!/bin/bash
# What is wrong is said, and what has no annotation starts.
# core
# takes 40
. "$(dirname "$0")/lib.sh"

run_hook() { # state, argument...: sets status and message
    local state=$1
    shift
    message=$(printf %s "$state" | "$hook" "$@" 2>&1)
    status=$?
}
lines() { grep -c . <<<"$1"; }

echo "== the kernel"
check "doctor has tried a policy" grep -qE "^ok +bpf-oom +a policy was loaded, and attached to a cgroup made for that" <(oomlet doctor)
check "status, too, for nothing is attached yet" contains "$(oomlet status)" "supported"
check "nothing of that is left" same "$(ls -d /sys/fs/cgroup/oomlet-trial-* /sys/fs/bpf/oomlet 2>/dev/null)" ""

echo "== the annotation is wrong"
bundle typo 64 largets-rss w=1
check "a misspelt policy: the container does not start" not create typo
check "runc's error shows the key" grep -q 'oom\.policy' "$work/typo/log"
check "and the value" grep -q 'largets-rss' "$work/typo/log"
check "and the nearest name" grep -qF 'did you mean "largest-rss"' <(sed 's/\\*"/"/g' "$work/typo/log")
check "nothing is attached" same "$(ls "$links" 2>/dev/null)" ""
remove typo
for value in "" "../../etc/passwd" "/etc/passwd" "largest-rss youngest" $'largest\e[31mrss' "$(head -c 100000 /dev/zero | tr '\0' x)"; do
    run_hook "{\"id\": \"x\", \"status\": \"creating\", \"pid\": $$, \"annotations\": {\"oom.policy\": $(json_string "$value")}}"
    check "refused: ${value:0:20}" same "$status $(lines "$message") $(grep -c $'\e' <<<"$message")" "3 1 0"
done

echo "== the state is wrong"
run_hook '{"id": "x", "status": "creating", "pid": '
check "broken JSON: exit 1, one line" same "$status $(lines "$message")" "1 1"
check "that says so" contains "$message" "stdin is not the container's state"
run_hook ''
check "empty stdin: exit 1" same "$status" 1
check "that says so" contains "$message" "stdin is empty"
run_hook '{"id": "x", "status": "creating", "pid": 4194303, "annotations": {"oom.policy": "youngest"}}'
check "a pid that is gone: exit 7" same "$status" 7
check "that says so" contains "$message" "process 4194303 is gone"
run_hook '{"id": "../x", "status": "creating", "pid": 1, "annotations": {"oom.policy": "youngest"}}'
check "an id that is a path: exit 1" same "$status" 1
run_hook '{"id": "x", "id": "y", "status": "creating", "pid": 1}'
check "duplicate keys: exit 1" same "$status" 1
run_hook '{"id": "x", "status": "creating", "pid": 1, "annotations": {}}' --stage createruntime
check "a misspelt stage: exit 2" same "$status" 2
check "with the nearest" contains "$message" 'did you mean "createRuntime"'

echo "== no annotation"
run_hook '{"ociVersion": "1.0.2", "id": "x", "status": "creating", "pid": 1, "root": "/x", "annotations": {"a": "b"}}'
check "exits 0 and says nothing" same "$status$message" 0
check "touches nothing" same "$(ls /sys/fs/bpf)" ""
large="{\"id\": \"x\", \"status\": \"creating\", \"pid\": 1, \"annotations\": {\"a\": \"$(head -c 300000 /dev/zero | tr '\0' x)\"}}"
run_hook "$large"
check "300 kB of other annotations are read to their end" same "$status$message" 0

bundle odd 64 "" w=1
edit odd 's/"annotations": {}/"annotations": {"a": "caf\xe9", "b": "\\ud800"}, "x": 1, "x": 2/'
check "a Latin-1 byte, a lone surrogate, a duplicate key: what asks for nothing starts" create odd
check "without a word" same "$(grep -c 'container odd' /run/oomlet/hook.log)" 0
pid=$(pid_in_state odd)
run_hook "{\"id\": \"odd\", \"status\": \"creating\", \"pid\": $pid, \"bundle\": \"$work/odd\"}"
check "so does it if the hook has to read config.json" same "$status$message" 0
edit odd 's/"annotations": {/&"oom.policy": "oldest", "oom.policy": "youngest", /'
run_hook "{\"id\": \"odd\", \"status\": \"creating\", \"pid\": $pid, \"bundle\": \"$work/odd\"}"
check "oom.policy there twice is refused" same "$status $(grep -c 'oom.policy: it is there twice, "oldest" and "youngest"' <<<"$message")" "3 1"
remove odd
run_hook "{\"id\": \"x\", \"status\": \"creating\", \"pid\": 1, \"annotations\": {\"oom.policy/web\": \"youngest\"}}"
check "a key for a container whose name nobody tells: exit 0, one warning" same "$status $(lines "$message") $(grep -c 'oom.policy/web is not used' <<<"$message")" "0 1 1"
run_hook '{"id": "x", "status": "creating", "pid": 1, "annotations": {"io.kubernetes.cri.container-type": "sandbox", "oom.policy": "yougnest"}}'
check "a typo for a pause container is nobody's" same "$status$message" 0

echo "== the annotation is in the bundle only"
bundle quiet 64 youngest w=1
create quiet
pid=$(pid_in_state quiet)
"$hook" --stage poststop <<<'{"id": "quiet"}'
check "poststop removes the attachment" same "$(links_on quiet)" ""
run_hook "{\"id\": \"quiet\", \"status\": \"creating\", \"pid\": $pid, \"bundle\": \"$work/quiet\"}"
check "a runtime that passes no annotations: config.json is read" same "$status $(links_on quiet)" "0 youngest"
run_hook "{\"id\": \"quiet\", \"status\": \"creating\", \"pid\": $pid, \"bundle\": \"$work/quiet\"}" --stage prestart
check "prestart and createRuntime both: attached once" same "$status $(links_on quiet)" "0 youngest"
run_hook "{\"id\": \"other\", \"status\": \"creating\", \"pid\": $pid, \"annotations\": {\"oom.policy\": \"largest-rss\"}}"
check "another policy is there: a warning with its name, not replaced" same "$status $(grep -c 'another OOM policy ("oomlet_youngest")' <<<"$message") $(links_on quiet)" "0 1 youngest"
check "the warning is in hook.log, too" grep -q "another OOM policy" /run/oomlet/hook.log
remove quiet

echo "== the node can't"
bundle unable 64 "" w=1
create unable
pid=$(pid_in_state unable)
state="{\"id\": \"unable\", \"status\": \"creating\", \"pid\": $pid, \"annotations\": {\"oom.policy\": \"youngest\"}}"
on_cgroup_v1() {
    unshare -m sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup -o none,name=v1 v1 /sys/fs/cgroup && exec "$1"' - "$hook"
}
message=$(on_cgroup_v1 <<<"$state" 2>&1)
check "cgroup v1: exit 0, one warning that says so" same "$? $(lines "$message") $(grep -c 'is not a cgroup v2 hierarchy' <<<"$message")" "0 1 1"
rm -rf /sys/fs/bpf/oomlet
message=$(setpriv --bounding-set=-all --inh-caps=-all "$hook" <<<"$state" 2>&1)
check "no capabilities: exit 0, one warning that says so" same "$? $(lines "$message") $(grep -c 'Operation not permitted\|Permission denied' <<<"$message")" "0 1 1"
foreign_pins() { mkdir -p /sys/fs/bpf/oomlet/v1/maps && bpftool map create /sys/fs/bpf/oomlet/v1/maps/state type array key 4 value 8 entries 3 name state; }
rm -rf /sys/fs/bpf/oomlet
foreign_pins
run_hook "$state"
check "maps of another layout are pinned: exit 0, one warning" same "$status $(lines "$message") $(grep -c 'without policy youngest' <<<"$message")" "0 1 1"
rm -rf /sys/fs/bpf/oomlet
mkdir -p /sys/fs/bpf/oomlet/v0/maps
bpftool map create /sys/fs/bpf/oomlet/v0/maps/state type array key 4 value 8 entries 3 name state
run_hook "$state"
check "those of another ABI version are in nobody's way" same "$status$message $(links_on unable)" "0 youngest"
remove unable
rm -rf /sys/fs/bpf/oomlet/v0

echo "== poststop"
for i in 1 2; do
    run_hook '{"id": "never-seen", "status": "stopped"}' --stage poststop
    check "of an unknown container, time $i: exit 0" same "$status$message" 0
done
bundle halfway 64 largest-rss w=1
edit halfway '/"createRuntime"/s|}]|}, {"path": "/bin/false"}]|'
check "a later hook fails: the container does not start" not create halfway
remove halfway
check "poststop ran: nothing is left" same "$(ls "$links")$(ls /run/oomlet/containers)" ""

echo "== scenario 12: hook left behind"
bundle plain 64 "" w=1
bundle annotated 64 largest-rss w=1
umount /sys/fs/bpf
check "no bpffs: a container without annotation starts" create plain
remove plain
check "with annotation it starts, too" create annotated
check "with a warning that names the remedy" grep -q "mount -t bpf -o mode=0700 bpf /sys/fs/bpf" /run/oomlet/hook.log
check "and nothing in its place" same "$(ls /sys/fs/bpf)" ""
remove annotated
said=$(wc -l </run/oomlet/hook.log)
for i in 1 2 3; do
    create annotated
    remove annotated
done
check "three starts more: not a line more in hook.log" same "$(wc -l </run/oomlet/hook.log)" "$said"
(sleep 0.2; "$hook" <<<'{"id": "unread", "status": "creating", "pid": 1, "annotations": {"oom.policy": "yuongest"}}' 2>&1; echo $? >"$work/unread") | true
check "nobody reads its stderr: hook.log has it, and the exit status is its own" same \
    "$(cat "$work/unread") $(grep -c '"yuongest"' /run/oomlet/hook.log)" "3 1"
mount -t bpf bpf /sys/fs/bpf
# As the kernel mounts it by itself: anybody may make something in it
chmod 1777 /sys/fs/bpf
busybox su -s /bin/sh nobody -c "mkdir /sys/fs/bpf/oomlet"
bundle squatted 64 largest-rss w=1
check "somebody else's directory for pins: the container starts without policy" create squatted
check "and the warning says whose it has to be" grep -q "/sys/fs/bpf/oomlet is not root's alone" /run/oomlet/hook.log
remove squatted
rmdir /sys/fs/bpf/oomlet
bundle annotated 64 largest-rss w=1
oomlet agent 2>/dev/null &
agent=$!
until_ 10 agent_runs
kill -KILL $agent
check "what a dead agent left is in nobody's way" create annotated
stop annotated
edit annotated '/"createRuntime"/s|"path": "[^"]*"|"path": "/nowhere/oomlet-hook"|'
took() { # command...: sets ms
    local start
    start=$(date +%s%N)
    "$@"
    ms=$((($(date +%s%N) - start) / 1000000))
}
bundle control 64 "" w=1
took create control
control=$ms
remove control
took create annotated
check "the binary is gone, its entry still there: no start" not is_created annotated
check "said at once: in less than four times what runc takes anyway ($control ms)" test "$ms" -lt $((4 * control))
check "runc names the path" grep -q "/nowhere/oomlet-hook" "$work/annotated/log"
remove annotated
check_clean
finish 64
