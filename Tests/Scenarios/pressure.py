#!/usr/bin/python3
# Pressure is an OOM that the kernel side declares by itself: without an agent, of a container that
# thrashes, not of one that just reads; of the system only where memory is short.
# vm: --memory 1024 --disk Tests/Scenarios/.out/disk.img:800
# core
# takes 60
import os

from oomtree import *

TOP = "/oomlet-test"
DATA = ["/mnt/data1", "/mnt/data2"]  # two: cached pages are shared
TICK = 4  # how much later than `for` a kill may come, in seconds
QUIET = int(os.environ.get("QUIET", "60" if os.environ.get("FULL") else "20"))  # how long nobody may die, in seconds


def pressure(container):
    """`oomlet pressure`, as JSON."""
    run = subprocess.run(["oomlet", "pressure", container.id, "-o", "json"], capture_output=True, text=True)
    return json.loads(run.stdout)


def above_since(container):
    """When the container's pressure went above its limit, by time.monotonic(); None: it is not."""
    above = (pressure(container) or {}).get("above_for_ns")
    return None if above is None else time.monotonic() - above / 1e9


subprocess.run(["mount", "-t", "ext4", "-o", "ro,noload", "/dev/vda", "/mnt"], check=True)
top = Cgroup(TOP)
top.enable()
COOLDOWN = 2  # shorter than the averages take to come down
limit = f"{{full: 10%, over: 4s, for: 4s, cooldown: {COOLDOWN}s}}"

# A container whose files do not fit, beside one whose do, and one that reads without end
thrashing = Container(top, "thrashing", f"{{victim: largest-rss, pressure: {limit}}}", group=0)
thrashing.start("small", anon=4), thrashing.start("reader", anon=8)
thrashing.cgroup.set("memory.max", 40 * MIB)
streaming = Container(top, "streaming", f"{{victim: largest-rss, pressure: {limit}}}", group=0)
streaming.start("stream", anon=4)
streaming.cgroup.set("memory.max", 40 * MIB)
calm = Container(top, "calm", f"{{victim: largest-rss, pressure: {limit}}}", group=0)
calm.start("calm", anon=20)
control = Container(top, "control", group=0)
control.start("reader", anon=8)
control.cgroup.set("memory.max", 36 * MIB)
for container in (thrashing, streaming, calm):
    container.attach()
same("no agent runs", [p for p in os.listdir("/proc") if p.isdigit() and read(f"/proc/{p}/comm") == "oomlet\n"], [])

control.processes[0].order(f"thrash 40 {DATA[1]}")
thrashing.processes[1].order(f"thrash 32 {DATA[0]}")
since = until(120, lambda: above_since(thrashing))
check("the container that thrashes gets above its limit", since)
died = until(30, lambda: "reader" not in thrashing.alive() and time.monotonic())
check("it is killed within `for` and the kernel's interval", died and died - since <= 4 + TICK, died and since and died - since)
same("only what the policy says", thrashing.alive(), {"small"})
same("nobody else", (streaming.alive(), calm.alive(), control.alive()), ({"stream"}, {"calm"}, {"reader"}))
# It shares the disk, and stalls only from its second round through the file on
check("the control without policy stalls, too, and lives", until(60, lambda: "full avg10=0.00" not in control.cgroup.get("memory.pressure")) and
      control.alive() == {"reader"}, control.cgroup.get("memory.pressure"))
control.remove()

# One stall, one kill, whatever the averages say; and a container that reads a lot is none
streaming.processes[0].order(f"stream {DATA[1]}")
time.sleep(max(0, died + COOLDOWN - time.monotonic()))
average = float(thrashing.cgroup.get("memory.pressure").split("full avg10=")[1].split()[0])
check("when the cooldown is over, the kernel's average is still above the limit", average > 10, average)
time.sleep(QUIET)
same("nobody dies of a stall that is over", thrashing.alive(), {"small"})
same("nobody dies of reading files", streaming.alive(), {"stream"})
streaming.processes[0].end()
again = thrashing.start("again", anon=8)
again.order(f"thrash 32 {DATA[0]}")
since = until(60, lambda: above_since(thrashing))
died = until(30, lambda: not again.alive() and time.monotonic())
check("a new one that thrashes is killed in time, too", died and since and died - since <= 4 + TICK, died and since and died - since)
same("  alone", thrashing.alive(), {"small"})

# Changed while it runs
run = subprocess.run(["oomlet", "pressure", thrashing.id, "--some", "50%", "--for", "0s"], capture_output=True, text=True)
check("limits are changed at once", "some 0% of 50%, over 4s for 0s" in run.stdout, run.stdout + run.stderr)
run = subprocess.run(["oomlet", "pressure", thrashing.id, "--some", "500%"], capture_output=True, text=True)
same("and checked", (run.returncode, "expected a percentage" in run.stderr), (3, True))

# memory.high alone: the container is slowed down without end
thrashing.cgroup.set("memory.max", "max")
thrashing.cgroup.set("memory.high", 20 * MIB)
hog = thrashing.start("creeping", anon=2)
dry = Container(top, "dry", f"{{victim: largest-rss, dry-run: true, pressure: {limit}}}", group=0)
dry.start("creeping", anon=2)
dry.attach()
dry.cgroup.set("memory.high", 20 * MIB)
subprocess.run(["oomlet", "pressure", thrashing.id, "--full", "15%", "--for", "2s", "--cooldown", "1s"], check=True, capture_output=True)
hog.order("grow 60"), dry.processes[0].order("grow 60")
until(60, lambda: not hog.alive())
same("at memory.high, too: what creeps up there is killed", (hog.alive(), thrashing.alive()), (False, {"small"}))

agent = Agent()
seen = lambda: sorted({(r["container"]["name"], r["trigger"], r["level"], r["outcome"], r["victim"]["comm"]) for r in records()})
until(30, lambda: len(seen()) > 3)
same("on record, though no agent ran: all kills, and the one that would have been", seen(),
     [("dry", "pressure", "container", "dry-run", "creeping"), ("thrashing", "pressure", "container", "killed", "again"),
      ("thrashing", "pressure", "container", "killed", "creeping"),
      ("thrashing", "pressure", "container", "killed", "reader")])
same("dry-run kills nobody", dry.alive(), {"creeping"})
first = records()[0]["pressure"]
check("with what it was", first["kind"] == "full" and first["permille"] >= first["limit_permille"] == 100 and
      4 * 10**9 <= first["held_ns"] < (4 + TICK) * 10**9, first)
for container in (thrashing, streaming, calm, dry):
    container.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(24)
