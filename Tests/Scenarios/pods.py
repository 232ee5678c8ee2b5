#!/usr/bin/python3
# Pods as the kubelet lays them out: limits that fire above the container, scopes, protection,
# what is counted, what is hostile.
# vm: --memory 1024
# core
# takes 35
import subprocess

import oomtree
from oomtree import *

TOP = "/oomlet-test"
LAYOUTS = {  # driver: the pod's path below TOP, the name of a container's cgroup
    "systemd": ("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podAAAA_BBBB.slice", "cri-containerd-{}.scope"),
    "cgroupfs": ("kubepods/burstable/podAAAA-BBBB", "{}"),
}
checks = 0


class Pod:
    def __init__(self, driver="cgroupfs"):
        path, self.pattern = LAYOUTS[driver]
        self.cgroups = [Cgroup(TOP)]
        for part in path.split("/"):
            self.cgroups[-1].enable()
            self.cgroups.append(Cgroup(f"{self.cgroups[-1].path}/{part}"))
        self.cgroup = self.cgroups[-1]
        self.cgroup.enable()
        self.containers = []

    def add(self, name, policy=None, **more):
        container = Container(self.cgroup, self.pattern.format(name), policy, **more)
        container.annotations["io.kubernetes.cri.container-name"] = name
        container.name = name
        self.containers.append(container)
        return container

    def remove(self):
        for container in self.containers:
            container.remove()
        for cgroup in reversed(self.cgroups):
            cgroup.remove()


def new_record(known):
    until(5, lambda: len(records()) > known)
    got = records()[known:]
    return got[-1] if got else {}


agent = Agent()

for driver in LAYOUTS:
    # Scenario 1: with one container, the pod's limit is the container's, and fires first
    pod = Pod(driver)
    pause = pod.add("pause")
    app = pod.add("app", "{victim: largest-rss, kill: process}")
    pause.start("pause", anon=2)
    small, large = app.start("small", anon=10), app.start("large", anon=50)
    app.attach()
    for cgroup in (pod.cgroup, app.cgroup):
        cgroup.set("memory.max", 80 * MIB)
    known = len(records())
    same(f"{driver}: the pod's limit fires first: the growing worker dies alone",
         deaths(pod.containers, lambda: large.order("grow 40")), [("app", "large")])
    record = new_record(known)
    same("  record: level, container, policy", (record.get("level"), record["container"]["name"], record.get("policy")),
         ("pod", "app", "largest-rss"))
    same("  record: what ran out", (record["limit_cgroup"], record["limit_bytes"]), (pod.cgroup.path, 80 * MIB))
    # One is the policy's, a second may be of the victim itself, which allocates on its way out
    check("  app has no oom of its own, the pod has", app.cgroup.event("oom") == 0 and pod.cgroup.event("oom") in (1, 2),
          (app.cgroup.event("oom"), pod.cgroup.event("oom")))
    pod.remove()

    # Two containers with different policies in one pod
    pod = Pod(driver)
    first, second = pod.add("first", "youngest"), pod.add("second", "largest-rss")
    first.start("old", anon=40), first.start("young", anon=8)
    second.start("big", anon=20), second.start("little", anon=6)
    first.attach(), second.attach()
    same(f"{driver}: the pod's OOM: the larger container gives way, by its own policy",
         deaths(pod.containers, lambda: run_out(pod.cgroup, first.processes[0])), [("first", "young")])
    pod.cgroup.set("memory.max", "max")
    same("  the other's own limit: its own policy",
         deaths([second], lambda: run_out(second.cgroup, second.processes[1])), [("second", "big")])
    pod.remove()

# Without annotation: counted, too, and inside of it the kernel's measure decides
pod = Pod()
app, plain = pod.add("app", "oldest"), pod.add("plain", group=0)
app.start("a", anon=10), app.start("b", anon=12)
plain.start("c", anon=20), plain.start("d", anon=40), plain.start("e", anon=12, adj=300)
app.attach()
known = len(records())
same("the largest container has no policy: the kernel's measure decides in it",
     deaths(pod.containers, lambda: run_out(pod.cgroup, app.processes[0])), [("plain", "e")])
record = new_record(known)
same("  record: no policy, and what was compared", (record["policy"], record["notes"], record["compared"]["containers"],
                                                    record["compared"]["decided_by"]), ("none", ["no-policy"], 2, "usage"))
pod.remove()

# protect shields from the container's own OOM, never the container from the pod's
pod = Pod()
app, side = pod.add("app", '{victim: largest-rss, protect: ["post*", "*"]}'), pod.add("side", "largest-rss")
app.start("postgres", anon=50), side.start("side", anon=12)
app.attach(), side.attach()
known = len(records())
same("all protected, and the largest of its pod: it dies nevertheless",
     deaths(pod.containers, lambda: run_out(pod.cgroup, side.processes[0])), [("app", "postgres")])
same("  record: all protected", new_record(known)["notes"], ["all-protected"])
pod.remove()

# Which processes protect, prefer and min-size mean
pod = Pod()
app = pod.add("app", '{victim: largest-rss, protect: [init, "db*"], prefer: ["w*r-?*"], min-size: 16Mi}')
shapes = [("leader", 60), ("dbmain", 50), ("worker-1", 14), ("worker-?x", 20), ("web", 30), ("tiny", 8)]
for name, anon in shapes:
    app.start(name, anon=anon)
status_, said = app.hook()
same("a pattern with \"?\" is taken as it is, with a warning", (status_, said.count("warning"), '"?" stands for itself' in said), (0, 1, True))
app.cgroup.set("memory.max", "max")
victims = []
for _ in range(4):
    victims += [name for _, name in deaths([app], lambda: run_out(app.cgroup, app.processes[0]))]
    app.cgroup.set("memory.max", "max")
    app.processes = [p for p in app.processes if p.alive()]
same("prefer, then the rest, then what is below min-size; what is protected stays",
     (victims, sorted(app.alive())), (["worker-?x", "web", "worker-1", "tiny"], ["dbmain", "leader"]))
pod.remove()

# init: the process the runtime started
pod = Pod()
app = pod.add("app", "{victim: largest-rss, protect: [init]}")
app.start("pid1", anon=50), app.start("child", anon=12)
app.attach()
same("protect: init spares the process the runtime started",
     deaths([app], lambda: run_out(app.cgroup, app.processes[0])), [("app", "child")])
pod.remove()

# Scenario 6: nothing killable
pod = Pod()
app = pod.add("app", "largest-rss")
app.start("a", anon=20, adj=-1000), app.start("b", anon=10, adj=-1000)
app.attach()
known = len(records())
app.cgroup.set("memory.max", 34 * MIB)
app.processes[1].order("grow 20")
record = new_record(known)
same("all at -1000: the policy stands aside, on record", (record["outcome"], record["victim"], record["container"]["name"]),
     ("stood-aside", None, "app"))
check("  the machine answers within 2 s", subprocess.run(["true"], timeout=2).returncode == 0)
app.cgroup.set("memory.max", "max")
pod.remove()

# Accounting: what shares an address space counts once; a leader that is gone is no hiding place
pod = Pod()
app = pod.add("app", "largest-anon")
app.start("shared", shmem=40, anon=2)
app.start("twin", anon=20, vfork=1)
app.start("headless", anon=30, threads=3, leaderless=1)
app.attach()
known = len(records())
same("largest-anon: the process whose leader has exited", deaths([app], lambda: run_out(app.cgroup, app.processes[0])),
     [("app", "headless")])
same("  record: a vfork child is no candidate of its own", new_record(known)["candidates"], 3)
same("  record: shared memory is no anonymous memory", new_record(known)["runner_up"]["comm"], "twin")
pod.remove()

# Scopes: one sibling's kill: pod beside another's kill: process
pod = Pod()
all_, one = pod.add("all", "{victim: largest-rss, kill: pod}"), pod.add("one", "{victim: largest-rss, kill: process}")
one.start("x", anon=30), one.start("y", anon=10)
all_.start("z", anon=12), all_.start("immune", anon=8, adj=-1000)
all_.attach(), one.attach()
same("a sibling's kill: pod does not spread", deaths(pod.containers, lambda: run_out(pod.cgroup, one.processes[1])), [("one", "x")])
pod.cgroup.set("memory.max", "max")
known = len(records())
same("kill: pod, though the container's own limit fired: all but what is at -1000",
     deaths(pod.containers, lambda: run_out(all_.cgroup, all_.processes[1])), [("all", "z"), ("one", "y")])
record = new_record(known)
same("  record: scope and level", (record["kill"], record["level"], record["also_killed"]), ("pod", "container", 1))
pod.remove()

# dry-run: decides, records, and leaves the kill to the kernel
pod = Pod()
app = pod.add("app", "{victim: youngest, dry-run: true}")
app.start("old", anon=40), app.start("young", anon=8)
app.attach()
known = len(records())
same("dry-run: the kernel's choice dies", deaths([app], lambda: run_out(app.cgroup, app.processes[1])), [("app", "old")])
record = new_record(known)
same("  record: who would have", (record["outcome"], record["victim"]["comm"], len(records()) - known), ("dry-run", "young", 1))
pod.remove()

# Scenario 13: crun's inner cgroup, and an exec'd process in a sibling of it
pod = Pod("systemd")
app = pod.add("app", "{victim: largest-rss, kill: process}")
app.cgroup.enable()
inner, sibling = Cgroup(app.cgroup.path + "/container"), Cgroup(app.cgroup.path + "/exec")
inner.set("memory.oom.group", 1)
for where, name, anon in ((inner, "main", 20), (inner, "helper", 10), (sibling, "shell", 40)):
    app.processes.append(Process(where.dir, name, anon=anon).ready())
app.attach()
same("crun's layout: one attachment, on the scope",
     [c["cgroup"] for c in status()["attached"]],
     [app.cgroup.path])
same("  memory.oom.group is 0 on scope and inner cgroup", (app.cgroup.get("memory.oom.group"), inner.get("memory.oom.group")), ("0", "0"))
same("  the scope's limit: the exec'd process is a candidate",
     deaths([app], lambda: run_out(app.cgroup, app.processes[1])), [("app", "shell")])
app.cgroup.set("memory.max", "max")
same("  the inner limit: the same policy", deaths([app], lambda: run_out(inner, app.processes[1])), [("app", "main")])
for p in app.processes:
    p.end()
inner.remove(), sibling.remove()
pod.remove()

# Drift: a runtime writes memory.oom.group back; the agent repairs it
pod = Pod()
app = pod.add("app", "{victim: largest-rss, kill: process}")
app.start("a", anon=30), app.start("b", anon=10)
app.attach()
app.cgroup.set("memory.oom.group", 1)
check("drift is repaired by the agent", until(5, lambda: app.cgroup.get("memory.oom.group") == "0"), app.cgroup.get("memory.oom.group"))
logged = lambda: read("/tmp/agent.log").count(f"container {app.id[:24]}")
check("  and logged, once", until(5, logged) == 1, read("/tmp/agent.log")[-500:])
same("  the policy kills one", deaths([app], lambda: run_out(app.cgroup, app.processes[1])), [("app", "a")])
pod.remove()

# What no process has
pod = Pod()
app = pod.add("app", "largest-rss")
app.start("small", anon=4), app.start("large", anon=8)
app.attach()
subprocess.run(["sh", "-c", f"echo $$ >{app.cgroup.dir}/cgroup.procs; exec head -c 30M /dev/zero >/dev/shm/filling"], check=True)
if TIER != "bpf-oom":
    time.sleep(3)  # the kernel sums up every 2 s what its processors have counted
known = len(records())
same("tmpfs fills the limit: the largest process dies", deaths([app], lambda: run_out(app.cgroup, app.processes[0])), [("app", "large")])
record = new_record(known)
check("  the record says whose most of the memory is", "are files in tmpfs, and no process's" in record["why"], record["why"])
check("  and has the figures", record["charged"]["shmem_bytes"] >= 30 * MIB > record["charged"]["anon_bytes"], record["charged"])
os.unlink("/dev/shm/filling")
pod.remove()

# A cgroup that is used again, after a poststop that was lost
pod = Pod()
app = pod.add("again", "youngest")
app.start("first", anon=2)
app.attach()


def next_life(id, policy):
    """Another container in the same cgroup, or the same one started again: (what the hook said, what is attached there)."""
    app.cgroup.set("cgroup.kill", 1)
    for process in app.processes:
        process.end()
    app.processes, app.id, app.policy = [], id, policy
    app.start("next", anon=2)
    status, said = app.hook()
    assert status == 0, said
    return said, [(c["id"], c["policy"]) for c in oomtree.status()["attached"] if c["cgroup_id"] == app.cgroup.id]


first = app.id
said, there = next_life("another", "oldest")
same("a cgroup is used again: it has the new container's policy alone", there, [("another", "oldest")])
check("  said once", said.count("\n") == 1 and f"container {first}, whose poststop hook did not run" in said, said)
same("  nothing of the first is left", [name for name in os.listdir("/run/oomlet/containers") if name.startswith(f"{first}@")], [])
said, there = next_life("another", "largest-rss")
same("by a container of the same id: the new life's", (there, said.count("has been removed")), ([("another", "largest-rss")], 1))
said, there = next_life("third", None)
same("by one that asks for nothing: none", (there, said.count("has been removed")), ([], 1))
pod.remove()

# Scenario 14: hostile annotations
pod = Pod()
app = pod.add("app")
app.start("a", anon=4)
hostile = {
    "a path as policy": "../../etc/passwd",
    "256 KiB": "x" * (256 << 10),
    "an anchors bomb": "a: &a [x,x]\nb: &b [*a,*a]\nvictim: youngest",
    "a NUL": "youngest\0",
    "escapes": "\x1b]0;owned\x07",
    "a bidirectional override": "\u202etsegnuoy",
    "a tag": "!!python/object:os.system youngest",
    "two documents": "youngest\n---\nlargest-rss",
    "a priority beyond range": "{victim: youngest, priority: 99999999999}",
    "an unknown key": "{victim: youngest, root: true}",
    "too many patterns": "{protect: [" + ", ".join(f"a{i}" for i in range(9)) + "]}",
}
for what, policy in hostile.items():
    app.policy = policy
    status, said = app.hook()
    check(f"{what}: refused in one line of plain text", status == 3 and said.count("\n") == 1 and len(said) < 1000
          and said.rstrip("\n").isprintable(), (status, said[:300]))
app.policy = "{victim: largest-rss, priority: 1000000}"
status, said = app.hook()
check("a priority above its neighbours' is capped, and said", status == 0 and "capped to 0" in said, (status, said))
pod.remove()

same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(63)
