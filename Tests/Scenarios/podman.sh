#!/bin/bash
# Debian 13's podman and crun with the hooks.d files, as `make install` puts them there: `podman run`, `podman kube play` of
# pods from examples/, and what others see of an OOM.
# vm: --memory 2048
. "$(dirname "$0")/lib.sh"
checkout=$(cd "$here/../.." && pwd)
cgroups=/sys/fs/cgroup/libpod_parent
root=/mnt/trixie
image=docker.io/library/busybox:1.36

# --- podman, and an image without a registry -------------------------------------------

# A mount, for runtimes pivot_root
mkdir -p "$root" "$work/upper" "$work/overlay"
mount -t overlay -o "lowerdir=$("$here/build-trixie" --print),upperdir=$work/upper,workdir=$work/overlay" trixie "$root" ||
    exit 1
for dir in proc sys dev run tmp; do mount --rbind "/$dir" "$root/$dir"; done
make -s -C "$checkout" install DESTDIR="$root" PREFIX=/usr || exit 1
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

mkdir -p "$work/image"/{bin,tmp}
cp "$(command -v busybox)" "$work/image/bin/busybox"
"$work/image/bin/busybox" --list | while read -r applet; do
    [[ $applet == busybox ]] || ln -s busybox "$work/image/bin/$applet"
done
cp "$out/workload" "$work/image/"
tar -C "$work/image" -cf "$work/image.tar" .
podman import -q "$work/image.tar" "$image" >"$work/import" 2>&1 || { cat "$work/import"; exit 1; }

# The container's cgroup below $cgroups
cgroup_of() { sed "s|^/libpod_parent/||" <<<"$(states "$1" CgroupPath)"; }
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
    podman run -d --name "$name" --network none --memory 128m --memory-swap 128m -v "$work/$name/ctl:/ctl" "$@" "$image" \
        /workload api=50 batch=1 >"$work/$name/log" 2>&1 || return
    cgroup=$(cgroup_of "$name")
    until_ 30 eval "podman logs $name 2>&1 | grep -q ^ready"
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
podman rm -f -t 0 plain >"$work/rm" 2>&1

run annotated --annotation oom.policy=youngest
id=$(podman inspect -f '{{.Id}}' annotated)
check "run --annotation oom.policy=youngest: the policy is on its cgroup" same "$(links_on "$cgroup")" youngest
grow annotated
check "the youngest dies alone" same "$(died "$before" "$(processes "$cgroup")")" batch
check "the record is there" until_ 5 has_record "$id"
check "with victim and policy" same "$(field "$id" '"\(.victim.comm) \(.policy) \(.outcome)"')" "batch youngest killed"
check "memory.events: one kill" same "$(event "$cgroup" oom_kill)" 1
check "podman inspect: running, not OOMKilled" same "$(states annotated Status OOMKilled)" "running false"
podman rm -f -t 0 annotated >"$work/rm" 2>&1
check "removed: nothing is attached any more" same "$(ls "$links" /run/oomlet/containers)" \
    "$(printf '%s:\n\n%s:' /run/oomlet/containers "$links")"

check "a misspelt policy: the container does not start" \
    not podman run --name typo --network none --annotation oom.policy=yougnest "$image" true
check "why is in hook.log" grep -qF 'did you mean "youngest"' /run/oomlet/hook.log
podman rm -f -t 0 typo >"$work/rm" 2>&1

# --- podman kube play ----------------------------------------------------------------------

play() { # file: a pod, until one of its processes has been killed
    local name
    name=$(basename "$1" .yaml)
    podman kube play --network none "$1" >"$work/play" 2>&1 || { cat "$work/play"; return 1; }
    read -r cgroup init id < <(podman inspect -f '{{.State.CgroupPath}} {{.State.Pid}} {{.Id}}' "$name-app")
    cgroup=${cgroup#/libpod_parent/}
    until_ 60 oom_seen "$cgroup"
    sleep 2
}
unplay() { podman pod rm -f -t 0 -a >"$work/unplay" 2>&1; }

# The pod with its annotation, and as the control the same manifest without
example() { # name, processes that live, in the control (none: the container ends)
    local file=$checkout/examples/pods/$1.yaml
    sed '/^  annotations:/,/^spec:/{/^spec:/!d}' "$file" >"$work/control/$1.yaml"
    cp "$file" "$work/examples/"
    check "kube play $1 without annotation" play "$work/control/$1.yaml"
    check "no policy is on it" same "$(links_on "$cgroup" 2>/dev/null)" ""
    if [[ $3 ]]; then
        check "the kernel's choice leaves $3" same "$(names "$cgroup")" "$3"
    else
        check "the kernel's choice ends the container" until_ 10 same_state "$1-app" "exited 137 true"
    fi
    unplay
    check "kube play $1 with annotation" play "$work/examples/$1.yaml"
    check "its policy is on it" same "$(links_on "$cgroup")" "${1//-/_}"
    check "the policy's leaves $2" same "$(names "$cgroup")" "$2"
    check "one process died" same "$(event "$cgroup" oom_kill)" 1
    check "the container lives, its PID 1 is the same" same "$(states "$1-app" Status Pid)" "running $init"
    check "the record is there" until_ 5 has_record "$id"
    check "with the policy" same "$(field "$id" '"\(.policy) \(.outcome)"')" "$1 killed"
    unplay
}
same_state() { same "$(states "$1" Status ExitCode OOMKilled)" "$2"; }
mkdir -p "$work"/{control,examples}
example youngest server report
example largest-memory main ""

# --- what others see ---------------------------------------------------------------------------

# PID 1 dies by the policy: the container is OOMKilled like any other
podman run -d --name first --network none --memory 64m --memory-swap 64m --annotation oom.policy=largest-rss "$image" \
    dd if=/dev/zero of=/dev/null bs=100M >"$work/first" 2>&1
check "PID 1 dies: podman inspect says OOMKilled and 137" until_ 20 same_state first "exited 137 true"
check "the record names it" until_ 5 has_record "$(podman inspect -f '{{.Id}}' first)"
podman rm -f -t 0 first >"$work/rm" 2>&1

# The expressions of cAdvisor (utils/oomparser) and of node-problem-detector (config/kernel-monitor.json)
# find an OOM decided by a policy like the kernel's own: 4 and 3 in this boot.
dmesg >"$work/dmesg"
check "the policies have killed four times" same "$(grep -c '] oomlet [a-z-]*: Killed process' "$work/dmesg")" 4
sees() { # sentence, expression
    check "$1" same "$(grep -cE "$2" "$work/dmesg")" 7
}
sees "cAdvisor finds the start of each OOM" 'invoked oom-killer:'
sees "its container" \
    'oom-kill:constraint=(.*),nodemask=(.*),cpuset=(.*),mems_allowed=(.*),oom_memcg=(.*),task_memcg=(.*),task=(.*),pid=(.*),uid=(.*)'
sees "and the process" 'Killed process ([0-9]+) \((.+)\)'
sees "node-problem-detector finds each" 'Killed process [0-9]+ (.+) total-vm:[0-9]+kB, anon-rss:[0-9]+kB, file-rss:[0-9]+kB.*'

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
finish 49
