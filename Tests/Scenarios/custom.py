#!/usr/bin/python3
# Policies of the node's own: loaded by name, asked at every level, refused with a reason.
# core
import os
import shutil
import subprocess

from oomtree import *

TOP = "/oomlet-test"
POLICIES = "/etc/oomlet/policies"
os.makedirs(POLICIES, exist_ok=True)
shutil.copy(HERE + "/.out/growth.bpf.o", POLICIES)
top = Cgroup(TOP)
top.enable()
kubepods = Cgroup(TOP + "/kubepods")
kubepods.enable()
pod = Cgroup(kubepods.path + "/podx")
pod.enable()


agent = Agent()
check("the agent loads it", "growth" in status()["policies"])
app = Container(pod, "app", "{victim: growth, protect: [init]}")
app.start("init", anon=2)
app.start("all-at-once", anon=40), app.start("steady", anon=24)
growing = app.start("growing", anon=8)
app.attach()
same("the first OOM: all have grown by all they have", deaths([app], lambda: run_out(app.cgroup, growing)), [("app", "all-at-once")])
explain = lambda at="container": json.loads(
    subprocess.run(["oomlet", "explain", app.id, "--at", at, "-o", "json"], capture_output=True, text=True).stdout)
foretold = [explain()["candidates"][0]["comm"] for _ in range(2)]
same("explain asks the policy, and asking changes nothing", foretold, ["growing", "growing"])
known = len(records())
same("the second OOM: the one that has grown, not the largest", deaths([app], lambda: run_out(app.cgroup, growing)), [("app", "growing")])
until(5, lambda: len(records()) > known)
record = records()[-1]
same("  record: the policy's name", (record["policy"], record["victim"]["comm"], record["notes"]), ("growth", "growing", []))
log = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
same("  the kernel's log names it, where the kernel asks policies", "oomlet custom policy: Killed process" in log, TIER == "bpf-oom")

# Above the container, beside others
app.cgroup.set("memory.max", "max")
side = Container(pod, "side", "youngest")
side.start("side", anon=6)
side.attach()
new = app.start("new", anon=14)
same("at the pod: the container gives way by usage, within it the custom policy chooses",
     deaths([app, side], lambda: run_out(pod, side.processes[0])), [("app", "new")])
same("  record: level and policy", (records()[-1]["level"], records()[-1]["policy"]), ("pod", "growth"))
side.remove()
app.remove()

# What is wrong with a file is said, and the container starts without it
shutil.copy(HERE + "/.out/broken.bpf.o", POLICIES + "/broken.bpf.o")
write(POLICIES + "/garbage.bpf.o", "not an object")
shutil.copy(HERE + "/.out/growth.bpf.o", POLICIES + "/writable.bpf.o")
os.chmod(POLICIES + "/writable.bpf.o", 0o666)
os.symlink(HERE + "/.out/growth.bpf.o", POLICIES + "/link.bpf.o")
for name, reason in (("broken", "the verifier says: "), ("garbage", "no BPF object file"), ("writable", "can be written by others than root"),
                     ("link", "cannot read policy")):
    app = Container(pod, "app" + name, name)
    app.start("a", anon=2)
    status, said = app.hook()
    check(f"{name}: the container starts without it, one line says why", status == 0 and said.count("\n") == 1 and reason in said
          and POLICIES in said, (status, said))
    app.remove()
check("the verifier's own words are there", "invalid" in read("/run/oomlet/hook.log") and "mem" in read("/run/oomlet/hook.log"),
      read("/run/oomlet/hook.log"))
app = Container(pod, "typo", "grwoth")
app.start("a", anon=2)
status, said = app.hook()
check("a misspelt one: refused, with the nearest", status == 3 and 'did you mean "growth"?' in said, (status, said))
app.remove()

# Its program is gone: the kernel's measure, and the record says so
app = Container(pod, "app", "growth")
app.start("a", anon=20), app.start("b", anon=6)
app.attach()
os.unlink(LINKS + "/custom/growth/handler")
time.sleep(0.5)
same("without its program the kernel's measure decides", deaths([app], lambda: run_out(app.cgroup, app.processes[1])), [("app", "a")])
until(5, lambda: records()[-1]["container"]["name"] == "app" and records()[-1]["victim"]["comm"] == "a")
same("  record: it did not answer", records()[-1]["notes"], ["custom-missing"])
app.remove()
for cgroup in (pod, kubepods, top):
    cgroup.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(23)
