#!/usr/bin/python3
# Victims that are not gone: dead but not reaped by their parent, stopped by a tracer at their exit, waiting for a slow disk,
# frozen; with memory that the kernel's reaper gets, and with memory that it doesn't. The next OOM has a victim, and nobody loops.
# vm: --memory 768 --disk Tests/Scenarios/.out/disk.img:2
# core
# takes 90
from oomtree import *

TOP = "/oomlet-test"
PTRACE_CONT, PTRACE_SEIZE, PTRACE_O_TRACEEXIT = 7, 0x4206, 0x40
LOOP = 100  # so many OOMs of a cgroup are a loop: oomlet asks for one in 100 ms at most, and waits 5 s at most

libc = ctypes.CDLL(None, use_errno=True)
top = Cgroup(TOP)
top.enable()
subprocess.run(["mount", "-t", "ext4", "-o", "ro,noload", "/dev/vda", "/mnt"], check=True)
agent = Agent()


def state(process):
    """R, S, D, t, Z...; "": it is gone. Without reaping it, as poll() would."""
    return read(f"/proc/{process.pid}/stat").rpartition(")")[2].split()[:1]


def victims(web):
    return [r["victim"]["comm"] for r in records() if r["outcome"] == "killed" and r["container"]["name"] == web.name]


def trace(process):
    assert libc.ptrace(PTRACE_SEIZE, process.pid, 0, PTRACE_O_TRACEEXIT) == 0, ctypes.get_errno()


def let_go(process):
    libc.ptrace(PTRACE_CONT, process.pid, 0, 0)


def case(name, what, prepare, sign, free=lambda victim: None, twice=False, **shape):
    """The container runs out twice: of the first one's memory, then, while the first is as it is, of the next one's."""
    web = Container(top, name, "largest-rss", group=0)
    growing = web.start("growing", anon=4)
    victim = web.start("first", **shape)
    web.attach()
    prepare(victim, web)
    if twice:
        web.start("next", anon=20)
    run_out(web.cgroup, growing)
    check(f"{what}: the OOM has a victim", until(20, lambda: victims(web)[:1] == ["first"]), records())
    check("  and it is so", until(10, lambda: state(victim) == [sign]), state(victim))
    if not twice:
        growing.done()
        # The kernel's reaper may take 2 s to get it: an OOM before that needs nobody else
        until(10, lambda: int(web.cgroup.get("memory.current")) < 30 * MIB)
        web.cgroup.set("memory.max", "max")
        web.start("next", anon=20)
        run_out(web.cgroup, growing)
    check("  the next OOM has the next one", until(20, lambda: victims(web) == ["first", "next"]), (victims(web), state(victim)))
    growing.done()
    same("  while the first is as it was", state(victim), [sign])
    check("  and there was no loop", web.cgroup.event("oom") < LOOP, web.cgroup.event("oom"))
    print(f"      {web.cgroup.event('oom')} OOMs", flush=True)
    free(victim)
    web.remove()


nothing = lambda victim, web: None
traced = lambda victim, web: trace(victim)
# Processes are children of this program, which looks at them by /proc
case("unreaped", "a dead process that its parent has not reaped", nothing, "Z", anon=40)
case("threads", "one whose first thread ended long ago", nothing, "Z", anon=40, leaderless=1)
case("traced", "a process that a tracer stops at its exit", traced, "t", let_go, anon=40)
case("shared", "the same with memory that can't be reaped", traced, "t", let_go, twice=True, shmem=40)


def waiting(victim, web):
    # In small requests, so that it takes 10 s at least, for the machine outside may put some together; all are waited for
    write("/sys/block/vda/queue/max_sectors_kb", 256)
    victim.order("stick 40 /mnt/data1")
    time.sleep(2)


case("waiting", "a process that waits for the disk", waiting, "D", anon=40)

# Who is dead already is not killed for the victim's sake
pod = Cgroup(TOP + "/kubepods-pod1.slice")
pod.enable()
names = {"io.kubernetes.cri.sandbox-name": "shop", "io.kubernetes.cri.sandbox-namespace": "prod"}
web, side = Container(pod, "web", "{victim: largest-rss, kill: pod}", names, group=0), Container(pod, "side", annotations=names, group=0)
growing, _, dead = web.start("growing", anon=20), side.start("living", anon=2), side.start("dead", anon=2)
web.attach()
os.kill(dead.pid, signal.SIGKILL)
until(10, lambda: state(dead) == ["Z"])
run_out(web.cgroup, growing)
check("kill: pod, with a dead process in it: the OOM is on record", until(10, lambda: victims(web) == ["growing"]), records())
same("  one process died with the victim, by the record", [r["also_killed"] for r in records()][-1:], [1])
# A policy's kill is in it only where the kernel asks policies
if TIER == "bpf-oom":
    same("  and by the kernel's log", [line.split("(")[1].split(")")[0] for line in kernel_log() if "oomlet with the victim: Killed process" in line], ["living"])
web.remove(), side.remove()
pod.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(5 * 5 + 2 + (TIER == "bpf-oom") + 1 + 6)
