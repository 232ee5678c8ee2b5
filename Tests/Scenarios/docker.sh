#!/bin/bash
# Debian 13's Docker as hooks/README.md configures it: annotations of `docker run`, by a runtime that adds the hook, and without hook
# by the agent.
# vm: --memory 2048
# takes 45
. "$(dirname "$0")/lib.sh"
cgroups=/sys/fs/cgroup/docker
recipe() { "$checkout/Tests/Recipes/blocks.py" hooks/README.md "$1"; }

# --- as the page says -------------------------------------------------------------------

mount_trixie || exit 1
check "the page's script is made" chroot "$root" bash -ec "$(recipe 'cat >/usr/local/bin/runc-oomlet')"
mkdir -p "$root/etc/docker" "$root/var/lib/"{docker,containerd}
recipe '{"runtimes"' >"$root/etc/docker/daemon.json"
# Not on an overlay; and this machine's kernel has no bridge
for dir in docker containerd; do mount -t tmpfs "$dir" "$root/var/lib/$dir"; done
chroot "$root" containerd >"$work/containerd" 2>&1 &
containerd=$!
chroot "$root" dockerd --containerd /run/containerd/containerd.sock --bridge none --iptables=false --ip6tables=false \
    --storage-driver vfs --exec-opt native.cgroupdriver=cgroupfs >"$work/dockerd" 2>&1 &
dockerd=$!
docker() { chroot "$root" docker "$@"; }
answers() { docker version >"$work/version" 2>&1; }
check "Docker starts with the page's configuration" until_ 60 answers
image_tar | docker import - workload >"$work/import" 2>&1
run() { docker run --network none "$@"; }

# --- by the hook --------------------------------------------------------------------------

plain=$(run -d workload sleep 1000)
check "without annotation no policy is on it" same "$(links_on "$plain")" ""
hooked=$(run -d --annotation oom.policy=largest-rss workload sleep 1000)
check "run --annotation oom.policy=largest-rss: the hook puts it on, with no agent" same "$(links_on "$hooked")" largest_rss
misspelt() { run --annotation oom.policy=yougnest workload true 2>"$work/misspelt"; }
check "a misspelt policy: the container does not start" not misspelt
check "and Docker says why" grep -qF 'did you mean "youngest"' "$work/misspelt"
docker rm -f "$plain" "$hooked" >"$work/rm" 2>&1
check "removed: nothing is attached any more" same "$(ls "$links" /run/oomlet/containers)" \
    "$(printf '%s:\n\n%s:' /run/oomlet/containers "$links")"

# --- by the agent -------------------------------------------------------------------------

start_agent
found=$(run -d --runtime runc --memory 64m --annotation oom.policy=youngest workload \
    sh -c 'sleep 5; tail /dev/zero; sleep 1000' 2>"$work/found")
has_policy() { [[ $(links_on "$1") == "$2" ]]; }
check "with Docker's own runtime the agent finds it" until_ 10 has_policy "$found" youngest
check "and its OOM is decided and on record" until_ 30 has_record "$found"
check "by that policy" same "$(fields "$found" policy victim.comm outcome)" "youngest tail killed"
check "a misspelt policy keeps no container from starting there" run --runtime runc --annotation oom.policy=yougnest workload sleep 3
check "the agent's log says so" until_ 5 grep -qF 'did you mean "youngest"' "$work/agent.log"
docker rm -f "$found" >"$work/rm" 2>&1
is_detached() { [[ -z $(ls "$links") ]]; }
until_ 10 is_detached

rm "$root/usr/libexec/oci/hooks.d/oomlet-hook"
check "the hook is gone, the page's script is not: a container starts" run --annotation oom.policy=youngest workload true
docker ps -aq | while read -r id; do docker rm -f "$id" >"$work/rm" 2>&1; done
kill "$dockerd" "$agent"
wait "$dockerd" "$agent"
kill "$containerd"
wait "$containerd"
check_clean
finish 19
