#!/bin/bash
# Another runtime: crun tells its hooks other things, and nobody what they say.
# core
runtime=crun
. "$(dirname "$0")/lib.sh"

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
kill "$agent"
wait "$agent"
check_clean
finish 14
