#!/bin/bash
# What the documents tell users to type, as it stands there: blocks that begin with ```sh.
# takes 40
. "$(dirname "$0")/lib.sh"
checkout=$(cd "$here/../.." && pwd)

# The blocks of a document, a record separator behind each
blocks() { awk '/^```/ { if (on) printf "\036"; on = $0 == "```sh"; next } on' "$checkout/$1"; }

# Each in the directory of its document
follow() { # document
    local block number=0
    while IFS= read -r -d $'\036' block; do
        [[ ${block//[[:space:]]/} ]] || continue
        ((++number))
        check "$1, block $number" in_shell "$block" "$(dirname "$checkout/$1")"
        tail -n 20 "$work/check" >"$work/said"
    done < <(blocks "$1")
    ((number)) || check "$1 has blocks" false
}
# What does not end by itself is ended
in_shell() { # text, directory
    sed -E 's/^(oomlet kills --follow[^#]*)/timeout 2 \1 || [ $? = 124 ] /' <<<"$1" >"$work/recipe"
    (cd "$2" && bash -euo pipefail "$work/recipe")
}

# How many files its first process may open
files_of() { awk '/^Max open files/ { print $4, $5 }' "/proc/$(pid_in_state "$1")/limits"; }

# As `make install PREFIX=/usr` leaves it
install -D "$hook" /usr/libexec/oci/hooks.d/oomlet-hook
cp -r "$checkout/examples" "$checkout/bpf" "$work/"
mkdir -p /etc/containerd

start_agent
bundle web 64 largest-rss a=5
launch web
tell web "grow a 100"
until_ 20 has_record web
remove web

follow docs/journal.md
follow docs/records.md
mkdir -p /var/lib/oomlet
echo '{"stage": "delete", "container": {"name": "web"}, "freed_bytes": 1}' >>/var/lib/oomlet/relief.jsonl
follow docs/relief.md
follow examples/pods/README.md

echo "== a policy of the node's own"
checkout=$work follow examples/custom-policy/README.md
bundle own 64 growth a=5
check "a container gets it" launch own
check "its policy is that" same "$(links_on own)" growth
limit=$(files_of own)
remove own

echo "== a bundle for runc"
checkout=$work follow examples/runc-bundle/README.md
check "it prints what the document says" grep -qx "tail ended with 137, the shell lives" "$work/said"
check "and the record is there" until_ 5 has_record example

echo "== containerd's base specification"
follow hooks/README.md
spec=/etc/containerd/oomlet-spec.json
check "it has no limit of files" same "$(jq .process.rlimits "$spec")" null
# The rest is as containerd's own, which its CRI takes for a pod without a base specification
check "nothing else is other than containerd has it" same "$(jq -S 'del(.hooks)' "$spec")" "$(ctr oci spec | jq -S 'del(.process.rlimits)')"
bundle based 64 "" a=5
jq --slurpfile own "$work/based/config.json" '$own[0] as $own | .root = $own.root | .process.args = $own.process.args
    | .mounts = $own.mounts | .annotations = {"oom.policy": "youngest"}
    | .linux.cgroupsPath = $own.linux.cgroupsPath | .linux.resources.memory = $own.linux.resources.memory' "$spec" >"$work/config.json"
mv "$work/config.json" "$work/based/"
check "a container of it starts" launch based
check "with its policy" same "$(links_on based)" youngest
check "and with the limit of files that any other has" same "$(files_of based)" "$limit"
remove based

kill "$agent"
wait "$agent"
check_clean
finish 22
