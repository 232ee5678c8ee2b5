#!/bin/bash
# Not a test: the hook beside a hook that is /bin/true, in turns, in the same boot.
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-50}
now() { date +%s%N; }
quantiles() { sort -n | awk '{ v[NR] = $1 / 1e6 } END { printf "median %6.2f ms   p99 %6.2f ms\n", v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.5)] }'; }

# From memory, both: the machine's own files come over a slow 9p
cp "$hook" "$work/oomlet-hook"
mkdir "$work/bin"
cp /bin/true "$work/bin/true"
hook=$work/oomlet-hook

echo "size of the binary: $(stat -c %s "$hook") bytes"
state='{"ociVersion":"1.0.2","id":"x","status":"creating","pid":1,"bundle":"/","annotations":{"a":"b"}}'
for ((i = 0; i < rounds; i++)); do
    t=$(now); "$hook" <<<"$state"; echo $(($(now) - t)) >>"$work/t.hook"
    t=$(now); "$work/bin/true" <<<"$state"; echo $(($(now) - t)) >>"$work/t.true"
done
echo "started by a shell, no annotation:  hook  $(quantiles <"$work/t.hook")"
echo "                                    true  $(quantiles <"$work/t.true")"

bundle warm 64 largest-rss w=1
create warm
bundle policy 64 largest-rss w=1
bundle none 64 "" w=1
bundle true 64 "" w=1
edit true "s|\"$hook\"|\"$work/bin/true\"|"
# Without the last stage's wait for the cgroup to empty, which is not the hook's
for ((i = 0; i < rounds; i++)); do
    for kind in policy none true; do
        t=$(now); create $kind; echo $(($(now) - t)) >>"$work/c.$kind"
        stop $kind
    done
done
for kind in policy none true; do echo "runc create, hook $kind:  $(quantiles <"$work/c.$kind")"; done

bundle peak 64 largest-rss w=1
create peak
pid=$(pid_in_state peak)
state() { echo "{\"id\": \"peak\", \"status\": \"creating\", \"pid\": $pid, \"annotations\": {\"oom.policy\": \"$1\"}}"; }
"$hook" --stage poststop <<<'{"id": "peak"}'
peak() { "$out/peak" "$hook" "$@"; }
echo "peak memory, attaching a loaded policy: $(state largest-rss | peak)"
"$hook" --stage poststop <<<'{"id": "peak"}'
echo "peak memory, loading one first:         $(state youngest | peak)"
remove peak
remove warm
