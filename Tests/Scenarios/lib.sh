# Sourced by the scenarios, which run as root in the test kernel.
#
# A scenario prints a line a check and ends with `finish N`, N being how many checks
# it makes: one that was left out fails it like one that is not so.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
out=$here/.out
work=/run/scenario
hook=$(command -v oomlet-hook)
cgroups=/sys/fs/cgroup/oomlet-test
links=/sys/fs/bpf/oomlet/v1/links
runtime=${runtime:-runc}
# How policies decide on this kernel: docs/kernels.md
tier=tracing
! grep -qa bpf_oom_ops /sys/kernel/btf/vmlinux || tier=bpf-oom
# Programs in Go run for too short a time to collect garbage or to interrupt themselves
export GOGC=off GODEBUG=asyncpreemptoff=1
passed=0 failed=0
mkdir -p "$work"

# --- checks ------------------------------------------------------------------------

check() { # sentence, command...: it must succeed
    local sentence=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        echo "ok    $sentence"
        ((++passed))
    else
        echo "FAIL  $sentence: $*"
        sed 's/^/      /' "$work/check"
        ((++failed))
    fi
}
not() { ! "$@"; }
same() { [[ $1 == "$2" ]] || { printf 'is: %s\nnot: %s\n' "$1" "$2"; false; }; }
contains() { [[ $1 == *"$2"* ]] || { printf 'is: %s\nwithout: %s\n' "$1" "$2"; false; }; }

until_() { # seconds, command...: tried until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

finish() { # number of checks
    ((passed + failed == $1)) || { echo "FAIL  $((passed + failed)) checks were made instead of $1"; ((++failed)); }
    echo "$passed passed, $failed failed"
    ((failed == 0))
    exit
}

# --- containers --------------------------------------------------------------------

json_string() { # text, as a JSON string
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    echo "\"${text//$'\e'/\\u001b}\""
}

# bundle NAME MIB ANNOTATION ARG...: a container of MIB with workload ARG...; no annotation if empty
bundle() {
    local name=$1 mib=$2 annotation=$3 args=
    local dir=$work/$name
    shift 3
    mkdir -p "$dir"/{rootfs/{proc,dev,ctl},ctl}
    [[ -p $dir/ctl/commands ]] || mkfifo "$dir/ctl/commands"
    cp "$out/workload" "$dir/rootfs/"
    [[ -z $annotation ]] || annotation="\"oom.policy\": $(json_string "$annotation")"
    ((!$#)) || printf -v args ', "%s"' "$@"
    # The hooks' time-out is longer than hooks/ has it: here a machine is emulated, beside another one
    cat >"$dir/config.json" <<JSON
{
    "ociVersion": "1.0.2",
    "process": {
        "user": {"uid": 0, "gid": 0}, "args": ["/workload"$args], "env": [], "cwd": "/"
    },
    "root": {"path": "rootfs"},
    "hostname": "$name",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/ctl", "type": "bind", "source": "$dir/ctl", "options": ["bind"]}
    ],
    "annotations": {$annotation},
    "hooks": {
        "createRuntime": [{"path": "$hook", "args": ["oomlet-hook", "--stage", "createRuntime", "--timeout", "20"], "timeout": 20}],
        "poststop": [{"path": "$hook", "args": ["oomlet-hook", "--stage", "poststop", "--timeout", "20"], "timeout": 20}]
    },
    "linux": {
        "cgroupsPath": "/oomlet-test/$name",
        "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}],
        "resources": {
            "memory": {"limit": $((mib << 20)), "swap": $((mib << 20))},
            "unified": {"memory.oom.group": "1"}
        }
    }
}
JSON
}

edit() { # name, sed's script: changes a bundle
    sed -i "$2" "$work/$1/config.json"
}

create() { "$runtime" create --bundle "$work/$1" "$1" >"$work/$1/log" 2>&1 </dev/null; }

is_created() { "$runtime" state "$1" >/dev/null 2>&1; }

pid_in_state() { "$runtime" state "$1" | "$out/get" pid; }

launch() { # name: created, started, all workers up
    create "$1" && "$runtime" start "$1" && until_ 30 grep -q '^ready' "$work/$1/log"
}

tell() { # name, command of the workload
    echo "$2" >"$work/$1/ctl/commands"
}

# As container managers do it: kill, wait, delete. `runc delete --force` does not wait long,
# and leaves the cgroup behind on a busy machine.
stop() {
    "$runtime" kill "$1" KILL >>"$work/$1/log" 2>&1
    until_ 30 is_empty "$1"
    "$runtime" delete --force "$1" >>"$work/$1/log" 2>&1
    [[ ! -d $cgroups/$1 ]] || until_ 10 rmdir "$cgroups/$1" 2>>"$work/$1/log"
}

# With its files: what it wrote to them in memory stays charged to its cgroup, and keeps that
remove() {
    stop "$1"
    rm -rf "${work:?}/$1"
}

# --- Debian 13 ---------------------------------------------------------------------

root=/mnt/trixie

# Its root file system, with this one's /proc, /run and so on, and what `make install` puts there
mount_trixie() {
    local dir
    # A mount, for runtimes pivot_root
    mkdir -p "$root" "$work/upper" "$work/overlay"
    mount -t overlay -o "lowerdir=$("$here/build-trixie" --print),upperdir=$work/upper,workdir=$work/overlay" trixie "$root" ||
        return
    for dir in proc sys dev run tmp; do mount --rbind "/$dir" "$root/$dir" || return; done
    make -s -C "$checkout" install DESTDIR="$root" PREFIX=/usr
}

# An image with busybox and the workload, as a tar file
image_tar() {
    mkdir -p "$work/image"/{bin,tmp}
    cp "$(command -v busybox)" "$work/image/bin/busybox"
    "$work/image/bin/busybox" --install "$work/image/bin"
    cp "$out/workload" "$work/image/"
    tar -C "$work/image" -c .
}

# --- what is in a container -----------------------------------------------------------

# Lines "pid comm" of a container, by pid
processes() {
    local pid comm
    for pid in $(sort -n "$cgroups/$1/cgroup.procs" 2>/dev/null); do
        read -r comm 2>/dev/null <"/proc/$pid/comm" && echo "$pid $comm"
    done
}

pid_of() { processes "$1" | awk -v comm="$2" '$2 == comm { print $1; exit }'; }

rss_mib() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status" 2>/dev/null; }

# Waits until a container's worker has so much
has_mib() { # name, worker, MiB
    local rss
    rss=$(rss_mib "$(pid_of "$1" "$2")")
    ((${rss:-0} >= $3))
}

event() { awk -v key="$2" '$1 == key { print $2 }' "$cgroups/$1/memory.events.local"; }

# The names of those in list $1 that are not in list $2: who died
died() { comm -23 <(sort <<<"$1") <(sort <<<"$2") | awk '{ print $2 }' | sort | xargs; }

# Waits until an OOM kill has been counted, or an OOM where kills may not be, and things are quiet again
oom_over() { # name
    until_ 30 oom_seen "$1"
    sleep 1
}
oom_seen() {
    local counted=oom_kill
    [[ $tier == bpf-oom ]] || counted=oom
    [[ ! -d $cgroups/$1 ]] || (($(event "$1" $counted) > 0)) || is_empty "$1"
}
is_empty() { [[ -z $(processes "$1") ]]; }

# --- oomlet --------------------------------------------------------------------------

start_agent() {
    oomlet agent 2>>"$work/agent.log" &
    agent=$!
    until_ 10 agent_runs
}
agent_runs() { [[ $(oomlet status -o json | "$out/get" agent) == running ]]; }

# The last record of a container, as JSON
record() { oomlet kills -o json --container "$1" --last 1 2>/dev/null; }
fields() { record "$1" | "$out/get" "${@:2}"; }
has_record() { [[ -n $(record "$1") ]]; }

# The maps of all policies that the kernel's link info shows on a container's cgroup, one a line
links_on() { "$out/links" "$cgroups/$1"; }

# What all scenarios must leave behind: nothing. Six checks.
check_clean() {
    check "no pin is left" same "$(ls "$links" 2>/dev/null)" ""
    check "no identity file is left" same "$(ls /run/oomlet/containers 2>/dev/null)" ""
    check "no cgroup is left" same "$(find "$cgroups" -mindepth 1 -type d 2>/dev/null)" ""
    check "no removed cgroup lives on, nor the parameters in its storage" until_ 20 cgroups_gone
    check "no process of oomlet is left" not pgrep -x 'oomlet|oomlet-hook|workload'
    check "the kernel has nothing to complain of" not grep -E 'BUG:|WARNING:|Oops|scheduling while atomic|possible .* lock' <(dmesg)
}
# A container's parameters are in storage on its cgroup, which can't be listed but goes
# with the cgroup: when that is freed, not just removed.
cgroups_gone() {
    echo 3 >/proc/sys/vm/drop_caches
    [[ $(awk '/^nr_dying_descendants/ { print $2 }' /sys/fs/cgroup/cgroup.stat) == 0 ]]
}
