#!/bin/bash
# Debian 13's podman and crun with the hooks.d files, as `make install` puts them there: `podman run`, `podman kube play` of
# pods from examples/, and what others see of an OOM.
# vm: --memory 2048
# takes 95
. "$(dirname "$0")/lib.sh"
cgroups=/sys/fs/cgroup/libpod_parent
image=docker.io/library/busybox:1.36

# --- podman, and an image without a registry -------------------------------------------

mount_trixie || exit 1
mkdir -p "$root/etc/containers"
cat >"$root/etc/containers/containers.conf" <<'CONF'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
hooks_dir = ["/usr/share/containers/oci/hooks.d"]
[containers]
log_driver = "k8s-file"
CONF
# The overlay driver, not on an overlay
cat >"$root/etc/containers/storage.conf" <<'CONF'
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/run/containers/graph"
CONF
podman() { chroot "$root" podman "$@"; }
states() { # container, fields of its state
    local name=$1
    shift
    podman inspect -f "$(printf '{{.State.%s}} ' "$@")" "$name" | sed 's/ $//'
}

image_tar >"$work/image.tar"
podman import -q "$work/image.tar" "$image" >"$work/import" 2>&1 || { cat "$work/import"; exit 1; }

# Of a cgroup, or of its processes
gone() { [[ ! -d $cgroups/$1 ]] || is_empty "$1"; }
# The names of its processes but shells and those that only wait
names() { processes "$1" | awk '$2 !~ /^(sh|sleep|head|catatonit)$/ { print $2 }' | sort | xargs; }

# With the unit's capabilities alone: a kill is recorded only if they suffice
oomlet() {
    local capabilities
    [[ $1 == agent ]] || { command oomlet "$@"; return; }
    capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$checkout/manifests/oomlet-agent.service")
    capabilities=${capabilities//CAP_/+}
    exec setpriv --bounding-set "-all,$(tr 'A-Z ' 'a-z,' <<<"$capabilities")" --no-new-privs oomlet agent
}
start_agent

# --- podman run --------------------------------------------------------------------------

run() { # name, podman's options...: a container of 128 MiB, up
    local name=$1
    shift
    mkdir -p "$work/$name/ctl"
    mkfifo "$work/$name/ctl/commands"
    id=$(podman run -d --name "$name" --network none --memory 128m --memory-swap 128m -v "$work/$name/ctl:/ctl" "$@" "$image" \
        /workload api=50 batch=1 2>"$work/$name/log") || return
    cgroup=libpod-$id
    until_ 30 grep -q ready "$root/run/containers/graph/overlay-containers/$id/userdata/ctr.log"
}
batch_is_large() { (($(rss_mib "$(pid_of "$cgroup" batch)") > 40)); }
grow() { # name: its older, larger worker becomes too large
    tell "$1" "grow batch 40"
    until_ 30 batch_is_large
    before=$(processes "$cgroup")
    tell "$1" "grow api 50"
    until_ 30 oom_seen "$cgroup"
    sleep 1
}

run plain
check "run without annotation: no policy" same "$(links_on "$cgroup")" ""
grow plain
check "the kernel kills the largest" same "$(died "$before" "$(processes "$cgroup")")" api

run annotated --annotation oom.policy=youngest
check "run --annotation oom.policy=youngest: the policy is on its cgroup" same "$(links_on "$cgroup")" youngest
grow annotated
check "the youngest dies alone" same "$(died "$before" "$(processes "$cgroup")")" batch
check "the record is there" until_ 5 has_record "$id"
check "with victim and policy" same "$(fields "$id" victim.comm policy outcome)" "batch youngest killed"
# Killed by SIGKILL, where the kernel has no OOM policies and would not choose the same
counted=1 seen=7
[[ $tier == bpf-oom ]] || counted=0 seen=4
check "memory.events: one kill, as far as it is the kernel's" same "$(event "$cgroup" oom_kill)" $counted
check "podman inspect: running, not OOMKilled" same "$(states annotated Status OOMKilled)" "running false"
podman rm -f -t 0 plain annotated >"$work/rm" 2>&1
check "removed: nothing is attached any more" same "$(ls "$links" /run/oomlet/containers)" \
    "$(printf '%s:\n\n%s:' /run/oomlet/containers "$links")"

check "a misspelt policy: the container does not start" \
    not podman run --name typo --network none --annotation oom.policy=yougnest "$image" true
check "why is in hook.log" grep -qF 'did you mean "youngest"' /run/oomlet/hook.log

# --- podman kube play ----------------------------------------------------------------------

# Each pod with its annotation, and as the control the same manifest without, all at once: NAME-app, NAME-control-app
for name in youngest largest-memory; do
    cat "$checkout/examples/pods/$name.yaml"
    echo ---
    sed '/^  annotations:/,/^spec:/{/^spec:/!d}; s/^  name: .*/&-control/' "$checkout/examples/pods/$name.yaml"
    echo ---
done | sed '$d' >"$work/pods.yaml"
check "kube play of pods from examples, each also without its annotation" podman kube play --network none "$work/pods.yaml"
containers=(youngest-app youngest-control-app largest-memory-app largest-memory-control-app)
declare -A id_of cgroup_of init_of
while read -r name id init cgroup; do
    id_of[$name]=$id init_of[$name]=$init cgroup_of[$name]=${cgroup#/libpod_parent/}
done < <(podman inspect -f '{{.Name}} {{.Id}} {{.State.Pid}} {{.State.CgroupPath}}' "${containers[@]}")
for name in "${containers[@]}"; do until_ 60 oom_seen "${cgroup_of[$name]}"; done
until_ 10 gone "${cgroup_of[largest-memory-control-app]}"
sleep 2
declare -A state_of
while read -r name state; do state_of[$name]=$state; done < <(
    podman inspect -f '{{.Name}} {{.State.Status}} {{.State.Pid}} {{.State.ExitCode}} {{.State.OOMKilled}}' "${containers[@]}")

example() { # name, processes that live
    local container=$1-app
    cgroup=${cgroup_of[$container]}
    check "$1: its policy is on it" same "$(links_on "$cgroup")" "${1//-/_}"
    check "the policy's choice leaves $2" same "$(names "$cgroup")" "$2"
    check "memory.events: one kill, as far as it is the kernel's" same "$(event "$cgroup" oom_kill)" $counted
    check "the container lives, its PID 1 is the same" same "${state_of[$container]}" "running ${init_of[$container]} 0 false"
    check "the record is there" until_ 5 has_record "${id_of[$container]}"
    check "with the policy" same "$(fields "${id_of[$container]}" policy outcome)" "$1 killed"
    check "without annotation: no policy is on it" same "$(links_on "${cgroup_of[$1-control-app]}" 2>/dev/null)" ""
}
example youngest server
check "the kernel's choice leaves another: report" same "$(names "${cgroup_of[youngest-control-app]}")" report
example largest-memory main
check "the kernel's choice ends the container" same "${state_of[largest-memory-control-app]}" "exited 0 137 true"
podman pod rm -f -t 0 -a >"$work/unplay" 2>&1

# podman passes no names, and keeps them: POD-CONTAINER
for name in shop renamed; do
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $name, annotations: {oom.policy/db: oldest}}
spec:
  hostname: ${name/renamed/other}
  containers:
  - {name: web, image: "$image", imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}
  - {name: db, image: "$image", imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}
---
YAML
done | sed '$d' >"$work/named.yaml"
check "kube play of pods with oom.policy/db" podman kube play --network none "$work/named.yaml"
of() { # container: the policies on it
    local cgroup
    cgroup=$(podman inspect -f '{{.State.CgroupPath}}' "$1")
    links_on "${cgroup#/libpod_parent/}"
}
check "its container db has the policy, web has none" same "$(of shop-db) $(of shop-web)" "oldest "
check "it is known by its names" same "$(cat /run/oomlet/containers/*.json | "$out/get" name pod)" "db shop"
check "a pod with a hostname of its own: no policy" same "$(of renamed-db)$(of renamed-web)" ""
check "one warning says what to write" same \
    "$(grep -c 'podman calls this container "renamed-db", and .*: expected "oom.policy/renamed-db" or "oom.policy"' /run/oomlet/hook.log)" 1
podman pod rm -f -t 0 -a >"$work/unplay" 2>&1

# --- what others see ---------------------------------------------------------------------------

# PID 1 dies by the policy: the container is OOMKilled like any other
id=$(podman run -d --name first --network none --memory 64m --memory-swap 64m --annotation oom.policy=largest-rss "$image" \
    dd if=/dev/zero of=/dev/null bs=100M 2>"$work/first")
until_ 20 gone "libpod-$id"
sleep 1
check "PID 1 dies: podman inspect says OOMKilled and 137" same "$(states first Status ExitCode OOMKilled)" "exited 137 true"
check "the record names it" until_ 5 has_record "$id"

# The expressions of cAdvisor (utils/oomparser) and of node-problem-detector (config/kernel-monitor.json)
# find an OOM decided by a policy like the kernel's own: 4 and 3 in this boot, 3 of the 4 only where the kernel asks policies. It reports more than it kills where a victim
# is waited for.
dmesg >"$work/dmesg"
check "the policies have killed four times" same "$(oomlet kills -o json | grep -c '"outcome": *"killed"')" 4
check "and say so in the log, where the kernel asks them" \
    same "$(grep -c '] oomlet [a-z-]*: Killed process' "$work/dmesg")" "$([[ $tier != bpf-oom ]] || echo 4)$([[ $tier == bpf-oom ]] || echo 0)"
sees() { # sentence, expression
    check "$1" same "$(grep -cE "$2" "$work/dmesg")" "$((seen + ${3:-0}))"
}
waits=$(grep -c '] oomlet waits for an earlier victim: ' "$work/dmesg")
sees "cAdvisor finds the start of each OOM" 'invoked oom-killer:' "$waits"
sees "its container" \
    'oom-kill:constraint=(.*),nodemask=(.*),cpuset=(.*),mems_allowed=(.*),oom_memcg=(.*),task_memcg=(.*),task=(.*),pid=(.*),uid=(.*)' "$waits"
sees "and the process" 'Killed process ([0-9]+) \((.+)\)'
sees "node-problem-detector finds each" 'Killed process [0-9]+ (.+) total-vm:[0-9]+kB, anon-rss:[0-9]+kB, file-rss:[0-9]+kB.*'

# --- the page of examples/pods, as it is written ---------------------------------------------------

cp -r "$checkout/examples/pods" /tmp/
follow() ( # podman in its root, where /tmp is the same, and without a network
    podman() { chroot "$root" sh -c 'cd /tmp/pods && exec podman "$@"' podman "${@:1:2}" --network none "${@:3}"; }
    cd /tmp/pods && eval "$("$checkout/Tests/Recipes/blocks.py" examples/pods/README.md "oomlet check")"
)
is_on_record() { [[ $(oomlet kills -o json --pod youngest --last 1 | "$out/get" victim.comm) == "$1" ]]; }
check "examples/pods: its commands" follow
check "and who dies is who the page says" until_ 60 is_on_record report
podman pod rm -f -t 0 -a >"$work/unplay" 2>&1

# --- the hook is gone, its entries are not; then both are ------------------------------------------

rm "$root/usr/libexec/oci/hooks.d/oomlet-hook"
check "hook gone, entries left: a container without annotation starts" podman run --rm --network none "$image" true
check "and one with it, for podman skips entries without program" \
    podman run --rm --network none --annotation oom.policy=youngest "$image" true
check "uninstalled, the entries first" same "$(make -C "$checkout" -s uninstall DESTDIR="$root" PREFIX=/usr -n |
    grep -m 1 -o '50-oomlet[a-z-]*.json' | head -n 1)" 50-oomlet.json
make -s -C "$checkout" uninstall DESTDIR="$root" PREFIX=/usr
check "nothing of it is left" same "$(find "$root" -xdev -name '*oomlet*')" ""
check "with annotation a container starts" podman run --rm --network none --annotation oom.policy=youngest "$image" true

kill "$agent"
wait "$agent"
rmdir "$cgroups/conmon"
check_clean
finish 54
