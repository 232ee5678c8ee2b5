#!/bin/bash
# Another runtime: crun tells its hooks other things, and nobody what they say.
# core
runtime=crun
. "$(dirname "$0")/lib.sh"

is_gone() { [[ -z $(cat "$1") ]]; }

start_agent
bundle one 256 largest-rss web=20 api=100 batch=10
launch one
check "created and started by crun: the policy is on its cgroup" same "$(links_on one)" largest_rss
check "its memory.oom.group, 1 from the runtime, is 0" same "$(cat "$cgroups/one/memory.oom.group")" 0
before=$(processes one)
tell one "grow api 200"
oom_over one
check "the largest dies alone" same "$(died "$before" "$(processes one)")" api
check "the record is there" until_ 5 has_record one
check "with the container and its policy" same "$(fields one container.id policy outcome)" "one largest-rss killed"
remove one

bundle typo 64 largets-rss w=1
check "a misspelt policy: the container does not start" not create typo
check "what crun hides is in hook.log" grep -qF 'did you mean "largest-rss"' /run/oomlet/hook.log
check "crun shows the exit status" grep -q "exit code: 3\|exit.*3" "$work/typo/log"
remove typo

# Without a cgroup of its own it is in that of who starts it, others' as well
session=/sys/fs/cgroup/session
mkdir "$session"
echo 1 >"$session/memory.oom.group"
sleep 1000 &
shell=$!
echo $shell >"$session/cgroup.procs"
bundle shared 256 largest-rss w=1
check "a container without a cgroup of its own starts" bash -c \
    'echo $$ >"$1/cgroup.procs"; crun --cgroup-manager=disabled create --bundle "$2" shared >"$2/log" 2>&1 </dev/null' - "$session" "$work/shared"
check "without policy, with a warning that says who else is in it" \
    grep -q 'cgroup /session is not the container.s alone, process [0-9]* ([a-z]*) is in it, too' /run/oomlet/hook.log
check "nothing is attached to the session" same "$("$out/links" "$session")" ""
check "and its memory.oom.group is its own" same "$(cat "$session/memory.oom.group")" 1
crun start shared
sleep 1
check "nor does the agent attach it" same "$("$out/links" "$session")" ""
remove shared
kill $shell
until_ 10 is_gone "$session/cgroup.procs"
rmdir "$session"
kill "$agent"
wait "$agent"
check_clean
finish 19
