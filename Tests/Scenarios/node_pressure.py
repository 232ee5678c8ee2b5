#!/usr/bin/python3
# Stalls of the whole system: nobody dies while there is memory; where there is none, who took it
# dies, not who stalls most.
# needs bpf-oom: how much memory has to be taken for stalls of the node is measured on the test kernel
# vm: --memory 768 --disk Tests/Scenarios/.out/disk.img:800
# core
# takes 110
import os

from oomtree import *

TOP = "/oomlet-test"
COOLDOWN = 10
HOLD = 60 if os.environ.get("FULL") else 15  # how long the system stalls, in seconds
LIMIT = "system: {order: [usage], pressure: {some: 10%%, over: 4s, for: 2s, cooldown: %ds, available: %d%%}}\n"
os.makedirs("/etc/oomlet", exist_ok=True)
write("/etc/oomlet/config.yaml", LIMIT % (COOLDOWN, 25))
subprocess.run(["mount", "-t", "ext4", "-o", "ro,noload", "/dev/vda", "/mnt"], check=True)
assert ctypes.CDLL(None).mlockall(3) == 0
top = Cgroup(TOP)
top.enable()
agent = Agent()


def pods(names, **shapes):
    made = {}
    for name in names:
        pod = Cgroup(f"{TOP}/kubepods-pod{name}.slice")
        pod.enable()
        made[name] = Container(pod, name, "largest-rss", group=0)
        made[name].pod = pod
        made[name].start(name, **shapes[name])
        made[name].attach()
    return made


def remove(made):
    for container in made.values():
        container.remove()
        container.pod.remove()


def declared(known, note=None):
    return [r for r in records()[known:] if r["trigger"] == "pressure" and (note is None or note in r["notes"])]


def stalls():
    """Share of the last 10 s in which all tasks of the system stalled."""
    return float(read("/proc/pressure/memory").split("full avg10=")[1].split()[0])


# Memory is there: a container that is short of it by a limit of its own is its own affair
made = pods(["capped", "large", "idle"], capped=dict(anon=10), large=dict(anon=60), idle=dict(anon=4))
made["capped"].cgroup.set("memory.high", 8 * MIB)
made["capped"].processes[0].order("thrash 64 /mnt/data1")
check("the system stalls", until(90, lambda: declared(0)))
check("  nearly all of the time", until(60, lambda: stalls() > 75), stalls())
lowest, end = 100, time.monotonic() + HOLD
while time.monotonic() < end:
    lowest = min(lowest, stalls())
    time.sleep(1)
check(f"  and goes on for {HOLD} s", lowest > 75, lowest)
facts = {key: int(value.split()[0]) for key, value in (line.split(":") for line in read("/proc/meminfo").splitlines())}
check("  with more than 70 % of its memory available", facts["MemAvailable"] > 0.7 * facts["MemTotal"], facts)
same("nobody dies while memory is available", {name: c.alive() for name, c in made.items()}, {name: {name} for name in made})
times = [r["boottime_ns"] / 1e9 for r in declared(0)]
check("that it was seen is on record, once a cooldown", len(times) >= HOLD // (COOLDOWN + 4) and
      all(later - earlier > COOLDOWN - 1 for earlier, later in zip(times, times[1:])), times)
same("and why", {(r["outcome"], tuple(r["notes"]), r["level"]) for r in declared(0)},
     {("stood-aside", ("memory-available",), "system")})
shown = subprocess.run(["oomlet", "status"], capture_output=True, text=True).stdout
check("status shows the system's pressure beside its limit", "some " in shown and "of 10%, over 4s for 2s while less than 25%" in shown, shown)

# The control: the same where it does not matter whether memory is available
write("/etc/oomlet/config.yaml", LIMIT % (COOLDOWN, 100))
until(40, lambda: not made["large"].alive())
same("control, without that condition: the largest pod dies for it, though it idles", {name: c.alive() for name, c in made.items()},
     {"capped": {"capped"}, "large": set(), "idle": {"idle"}})
until(10, lambda: [r for r in records() if r["outcome"] == "killed"])
write("/etc/oomlet/config.yaml", LIMIT % (COOLDOWN, 25))
remove(made)

# Memory is short: one has taken it, and holds it; another suffers from that, with little of its own
write("/proc/sys/vm/drop_caches", 3)
known = len(records())
made = pods(["taker", "sufferer", "idle"], taker=dict(anon=40), sufferer=dict(anon=6), idle=dict(anon=20))
available = int(read("/proc/meminfo").split("MemFree:")[1].split()[0]) // 1024
made["sufferer"].processes[0].order("thrash 64 /mnt/data1")
# So much that the files do not fit
made["taker"].processes[0].order(f"grow {max(1, available - 45)}")
died = until(150, lambda: [name for name, c in made.items() if not c.alive()])
time.sleep(5)
dead = [name for name, c in made.items() if not c.alive()]
same("where memory is short who took it dies, and nobody else", dead, ["taker"])
until(10, lambda: [r for r in records()[known:] if r["outcome"] == "killed"])
killed = [r for r in records()[known:] if r["outcome"] == "killed"]
same("by pressure, not at the end of memory", [(r["trigger"], r["level"], r["victim"]["comm"]) for r in killed],
     [("pressure", "system", "taker")])
print("      " + (killed[0]["sentence"] if killed else ""))
remove(made)

# A slice: whoever causes its stall gives way, by a rule of the node's
slice = Cgroup(TOP + "/batch.slice")
slice.enable()
rule = "cgroups: [{cgroup: oomlet-test/*.slice, pressure: {some: 15%, over: 4s, for: 2s, cooldown: 60s}}]\n"
write("/etc/oomlet/config.yaml", rule)
check("a slice gets the limit of its rule", until(20, lambda: [c["cgroup"] for c in status()["cgroup_pressure"]] == [slice.path]), status())
same("the system has none any more", status()["system_pressure"], None)
write("/proc/sys/vm/drop_caches", 3)
thrasher, calm = Container(slice, "thrasher", group=0), Container(slice, "calm", group=0)
thrasher.start("thrasher", anon=10), calm.start("calm", anon=2)
slice.set("memory.max", 44 * MIB)
known = len(records())
thrasher.processes[0].order("thrash 40 /mnt/data2")
until(90, lambda: not thrasher.alive())
time.sleep(3)
same("who causes the slice's stall dies, and nobody else", (thrasher.alive(), calm.alive()), (set(), {"calm"}))
until(10, lambda: records()[known:])
same("by pressure of the slice", [(r["trigger"], r["level"], r["limit_cgroup"], r["victim"]["comm"]) for r in records()[known:]],
     [("pressure", "slice", slice.path, "thrasher")])
write("/etc/oomlet/config.yaml", "{}\n")
check("without the rule the limit goes", until(20, lambda: not status()["cgroup_pressure"]), status()["cgroup_pressure"])
thrasher.remove(), calm.remove(), slice.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(23)
