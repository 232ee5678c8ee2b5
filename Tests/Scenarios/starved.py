#!/usr/bin/python3
# An agent in a cgroup of 20 MiB, with 200 attached containers (or ATTACHED, GONE): many gone, killed during an OOM, replaced.
# needs bpf-oom: a stock kernel's types alone take more than the 20 MiB that the agent has here to start with
# vm: --memory 2048 --timeout 1200
# takes 50
import shutil

from oomtree import *

TOP = "/oomlet-test"
ATTACHED, GONE = int(os.environ.get("ATTACHED", "200")), int(os.environ.get("GONE", "40"))
top = Cgroup(TOP)
top.enable()
starved = Cgroup("/starved")
starved.set("memory.max", 20 * MIB)
starved.set("memory.swap.max", 0) if os.path.exists(starved.dir + "/memory.swap.max") else None


class Starved:
    """An agent in that cgroup."""

    def __init__(self, program):
        self.path = "/tmp/starved.log"
        self.log = open(self.path, "w")
        self.popen = subprocess.Popen(["sh", "-c", f"echo $$ >{starved.dir}/cgroup.procs; exec {program} agent"], stderr=self.log)
        assert until(60, lambda: "is running" in read(self.path)), read(self.path)

    def resident(self):
        facts = status_of(self.popen.pid)
        return [int(facts[key].split()[0]) for key in ("VmRSS", "VmHWM")]

    def ticks(self):
        fields = read(f"/proc/{self.popen.pid}/stat").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


def linked():
    """The cgroups that the kernel says have a policy of a container; without links, what status has read from the cgroups."""
    if TIER != "bpf-oom":
        return claimed()
    lines = subprocess.run([HERE + "/.out/links"], capture_output=True, text=True).stdout.split("\n")
    return {int(line.split()[1]) for line in lines if line and line.split()[2] not in ("system", "pod")} - {0}


def claimed():
    return {c["cgroup_id"] for c in status()["attached"] if c["attached"]}


agent = Starved("oomlet")
shops = [Container(top, f"shop{i}", policy) for i, policy in enumerate(["largest-rss", "youngest", "oldest"])]
for shop in shops:
    shop.start("first", anon=10), shop.start("largest", anon=24), shop.start("last", anon=12)
    shop.attach()
start = time.monotonic()
at_once([lambda k=k: attach_crowd(top, range(k, ATTACHED - len(shops), 4)) for k in range(4)])
print(f"      {ATTACHED} containers attached in {time.monotonic() - start:.0f} s")
same("all are attached, by the kernel's word", len(linked()), ATTACHED)
same("status claims what link info says", claimed() == linked(), True)
time.sleep(1)
before = agent.ticks()
time.sleep(25)
used = (agent.ticks() - before) / os.sysconf("SC_CLK_TCK") / 25
print(f"      idle with {ATTACHED} containers: {100 * used:.2f} % of a processor (an emulated one); resident and at most: {agent.resident()} KiB")
check("at most 20 MiB are resident, at any time", agent.resident()[1] <= 20480, agent.resident())
same("the cgroup of 20 MiB never ran out", starved.event("oom_kill"), 0)

for n in range(GONE):
    os.rmdir(f"{MOUNT}{TOP}/c{n}")
same("status denies those that are gone", claimed() == linked() and len(linked()) == ATTACHED - GONE, True)
left = lambda: (len(os.listdir(LINKS + "/links")), len(os.listdir("/run/oomlet/containers")))
until(60, lambda: left() == (ATTACHED - GONE, ATTACHED - GONE))
same("and nothing is left of them", left(), (ATTACHED - GONE, ATTACHED - GONE))

known = len(records())
victims = ["largest", "last", "first"]
killer = subprocess.Popen(["sh", "-c", f"sleep 0.02; kill -9 {agent.popen.pid}"])
same("killed during an OOM: the policy's victim", deaths(shops, lambda: run_out(shops[0].cgroup, shops[0].processes[2])), [("shop0", "largest")])
killer.wait(), agent.popen.wait()
same("without agent: the same", deaths(shops, lambda: run_out(shops[1].cgroup, shops[1].processes[1])), [("shop1", "last")])
shutil.copy(shutil.which("oomlet"), "/tmp/oomlet-new")
agent = Starved("/tmp/oomlet-new")
check("another binary adopts, in the same 20 MiB", until(30, lambda: f"adopted {ATTACHED - GONE} containers" in read(agent.path)), read(agent.path))
same("with the new one: the same", deaths(shops, lambda: run_out(shops[2].cgroup, shops[2].processes[1])), [("shop2", "first")])
check("each is on record, once", until(10, lambda: [r["victim"]["comm"] for r in records()[known:]] == victims),
      [r["victim"]["comm"] for r in records()[known:]])
same("each was the policy's decision", [(r["policy"], r["outcome"]) for r in records()[known:]],
     [("largest-rss", "killed"), ("youngest", "killed"), ("oldest", "killed")])
same("status claims what link info says", claimed() == linked() and len(linked()) == ATTACHED - GONE, True)
print(f"      resident and at most: {agent.resident()} KiB; memory.peak of its cgroup: {starved.get('memory.peak')}")
same("the cgroup of 20 MiB never ran out", starved.event("oom_kill"), 0)
for shop in shops:
    shop.remove()
for n in range(GONE, ATTACHED - len(shops)):
    os.rmdir(f"{MOUNT}{TOP}/c{n}")
until(60, lambda: left() == (0, 0))
check("no system call was refused", "seccomp" not in read(agent.path))
agent.popen.terminate()
same("the agent ends cleanly", agent.popen.wait(), 0)
starved.remove()
top.remove()
check_clean(TOP)
finish(22)
