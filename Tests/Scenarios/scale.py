#!/usr/bin/python3
# A decision among 10,000 processes in 1,000 cgroups, and one that nobody's protect can escape.
# vm: --memory 3072 --timeout 900
# takes 40
import os
import subprocess

from oomtree import *

TOP = "/oomlet-test"
CGROUPS, TASKS = int(os.environ.get("CGROUPS", "1000")), int(os.environ.get("TASKS", "10000"))
top = Cgroup(TOP)
top.enable()
agent = Agent()
big = Container(top, "big", '{victim: largest-rss, protect: ["*"]}')
big.start("small", anon=10), big.start("large", anon=40)
big.attach()
crowd = Cgroup(TOP + "/crowd")
crowd.enable()
popen = subprocess.Popen([HERE + "/.out/crowd", crowd.dir, str(CGROUPS), str(TASKS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
same("the crowd is there", popen.stdout.readline(), "ready\n")
known = len(records())
same("at the slice above all: the right one dies, protected or not", deaths([big], lambda: run_out(top, big.processes[0])),
     [("big", "large")])
until(10, lambda: len(records()) > known)
record = records()[-1]
same("  record: whole, and what was compared", (record["truncated"], record["compared"]["containers"], record["notes"], record["level"]),
     (False, CGROUPS + 1, ["all-protected"], "slice"))
print(f"      decided in {record['decision_ns'] / 1e6:.1f} ms")
top.set("memory.max", "max")
popen.kill()
popen.wait()
big.remove()
for i in range(CGROUPS):
    path = f"{crowd.dir}/c{i}"
    until(30, lambda: "populated 0" in read(path + "/cgroup.events"))
    os.rmdir(path)
crowd.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(10)
