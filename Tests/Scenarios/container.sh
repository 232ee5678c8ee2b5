#!/bin/bash
# One container, one policy: attachment, victims, group kill undone, neighbours, an
# agent that is gone.
# core
# takes 30
. "$(dirname "$0")/lib.sh"

log_since() { dmesg | tail -n "+$((mark + 1))"; }
mark_log() { mark=$(dmesg | wc -l); }

backends=(a=30 b=30 c=30 d=30)

echo "== scenario 2: group kill undone for one container"
bundle control 256 "" "${backends[@]}"
launch control
before=$(processes control)
tell control "grow c 200"
until_ 20 is_empty control
check "control: without policy the whole container dies" same "$(died "$before" "$(processes control)")" "a b c d workload"
remove control

start_agent
bundle one 256 largest-rss "${backends[@]}"
bundle neighbour 256 "" "${backends[@]}"
launch neighbour
create one
check "created, not started: exactly one bpf_oom link on its cgroup" same "$(links_on one)" largest_rss
check "its memory.oom.group, 1 from the runtime, is 0" same "$(cat "$cgroups/one/memory.oom.group")" 0
check "the neighbour without annotation has none" same "$(links_on neighbour)" ""
check "and keeps its memory.oom.group" same "$(cat "$cgroups/neighbour/memory.oom.group")" 1
runc start one
until_ 30 grep -q '^ready' "$work/one/log"
before=$(processes one) beside=$(processes neighbour)
mark_log
tell one "grow c 200"
oom_over one
check "one backend died, the supervisor and the others keep their pids" same "$(died "$before" "$(processes one)")" c
check "nobody in the neighbour" same "$(processes neighbour)" "$beside"
check "oom_kill is 1" same "$(event one oom_kill)" 1
check "oom_group_kill is 0" same "$(event one oom_group_kill)" 0
# Where the kernel is left to do the same, it says what it always says
reason="oomlet largest-rss"
[[ $tier == bpf-oom ]] || reason="Memory cgroup out of memory"
check "the kernel's log says why" grep -q "$reason: Killed process" <(log_since)
check "and its line of the kill is as node-problem-detector expects" \
    grep -qE "Killed process [0-9]+ \(c\) total-vm:[0-9]+kB, anon-rss:[0-9]+kB, file-rss:[0-9]+kB" <(log_since)
check "the record came within a second of being looked for" until_ 1 has_record one
check "record: trigger, level, policy, outcome" \
    same "$(fields one trigger level policy outcome)" "limit container largest-rss killed"
check "record: how it was killed" same "$(fields one tier killed_by)" "$tier oom-kill"
check "record: the victim" same "$(fields one victim.pid victim.comm victim.uid)" "$(awk '$2 == "c"' <<<"$before") 0"
check "record: limit and cgroups" same "$(fields one limit_bytes limit_cgroup container.cgroup)" \
    "$((256 << 20)) /oomlet-test/one /oomlet-test/one"
read -r candidates decision rss anon file shmem < <(
    fields one candidates decision_ns victim.memory.{rss_bytes,anon_bytes,file_bytes,shmem_bytes})
check "record: five candidates" same "$candidates" 5
check "record: the victim's memory adds up, and is what it had" test $((rss == anon + file + shmem && anon > 100 << 20)) = 1
check "record: a decision takes time" test "$decision" -gt 1000
runc update --memory $((300 << 20)) one >>"$work/one/log" 2>&1
check "runc update sets the new limit" same "$(cat "$cgroups/one/memory.max")" $((300 << 20))
check "and memory.oom.group is 0, again if need be" until_ 5 grep -qx 0 "$cgroups/one/memory.oom.group"
before=$(processes neighbour)
tell neighbour "grow c 200"
until_ 20 is_empty neighbour
check "the neighbour without annotation still dies whole" same "$(died "$before" "$(processes neighbour)")" "a b c d workload"
remove neighbour
remove one

echo "== detached alive"
bundle loose 64 largest-rss w=1
launch loose
"$hook" --stage poststop <<<'{"id": "loose"}'
check "no policy any more" same "$(links_on loose)" ""
check "memory.oom.group is what the runtime had set" same "$(cat "$cgroups/loose/memory.oom.group")" 1
remove loose

echo "== two containers, two policies, at the same time"
for policy in largest-rss youngest; do
    bundle "by-$policy" 256 "$policy" web=20 api=100 batch=10
    launch "by-$policy"
    tell "by-$policy" "grow batch 60"
done
for name in by-largest-rss by-youngest; do until_ 20 has_mib $name batch 69; done
before_largest=$(processes by-largest-rss) before_youngest=$(processes by-youngest)
tell by-largest-rss "grow api 100"
tell by-youngest "grow api 100"
oom_over by-largest-rss
oom_over by-youngest
check "largest-rss: the largest, api, died" same "$(died "$before_largest" "$(processes by-largest-rss)")" api
check "youngest: the youngest, batch, died" same "$(died "$before_youngest" "$(processes by-youngest)")" batch
until_ 5 has_record by-youngest
check "each by its own policy" same "$(fields by-largest-rss policy) $(fields by-youngest policy)" "largest-rss youngest"
remove by-largest-rss
remove by-youngest

echo "== the agent is gone"
bundle orphan 256 largest-rss web=20 api=100 batch=70
launch orphan
kill -KILL "$agent"
wait "$agent" 2>/dev/null
before=$(processes orphan)
tell orphan "grow api 100"
oom_over orphan
check "killed by SIGKILL: the same victim dies" same "$(died "$before" "$(processes orphan)")" api
check "no record yet" not has_record orphan
before_count=$(oomlet kills -o json | wc -l)
start_agent
check "the record is there when an agent runs again" until_ 5 has_record orphan
check "and it is the only new one" same "$(oomlet kills -o json | wc -l)" $((before_count + 1))
check "the agent knows the container it did not see start" grep -q "adopted 1 container$" "$work/agent.log"
remove orphan

echo "== nothing killable"
bundle immune 64 youngest a=20/-1000
edit immune 's/"cwd"/"oomScoreAdj": -1000, &/'
launch immune
mark_log
tell immune "grow a 200"
check "all at -1000: the policy stands aside, on record" until_ 20 has_record immune
check "with the outcome and no victim" same "$(fields immune outcome victim)" "stood-aside null"
check "the machine answers" timeout 2 true
remove immune

kill -TERM "$agent"
check "SIGTERM ends the agent cleanly" wait "$agent"
check_clean
finish 42
