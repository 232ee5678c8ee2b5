#!/usr/bin/python3
# A container that hangs at its limit: its hot files come from a slow disk, and its memory creeps up, as far as it takes to stall.
# By itself it is never an OOM; with pressure it is one in time, and the neighbour hardly notices. At memory.max, and at
# memory.high alone.
# alone: how late others wake up is measured
# vm: --memory 768 --disk Tests/Scenarios/.out/disk.img:300
from oomtree import *

TOP = "/oomlet-test"
HANG = 60 if os.environ.get("FULL") else 10  # how long the control is watched, in seconds
QUIET = 4
TICK = 4  # how much later than `for` a kill may come, in seconds
LIMIT, HOT = 64, 45  # in MiB; memory of 12 is there before
ENOUGH = 0.4  # of the time stalled: it hangs
LATENCIES = "/tmp/latencies"


class Hanging(Container):
    """What it needs fits, but nothing more."""

    def __init__(self, limit, file, policy=None):
        super().__init__(top, limit.replace(".", "-"), policy, group=0)
        self.file = file
        self.reader, self.creeping = self.start("reader", anon=1), self.start("creeping", anon=11)
        if policy:
            self.attach()
        # An emulated disk takes much of a processor: what is asked is what memory does to the neighbour
        for process in self.processes:
            os.sched_setaffinity(process.pid, {0})
        self.cgroup.set(limit, LIMIT * MIB)
        self.reader.order(f"warm {HOT} {file}")
        self.reader.done()

    def creep(self, mib):
        self.reader.order(f"thrash {HOT} {self.file}")
        self.creeping.order(f"creep {mib} 4")

    def creep_until_it_hangs(self):
        """How much that takes differs from kernel to kernel, and more is less: files that come back late count as new ones. In
        MiB."""
        self.creep(1)
        for crept in range(1, HOT):
            self.creeping.done()
            before = self.stalled()
            time.sleep(2)
            if (self.stalled() - before) / 2 > ENOUGH:
                return crept
            self.creeping.order("creep 1 1")
        return HOT

    def stalled(self):
        """How long all of its tasks have stalled, in seconds."""
        return int(self.cgroup.get("memory.pressure").rpartition("total=")[2]) / 1e6


def both(policy=None):
    write("/proc/sys/vm/drop_caches", 3)
    return [Hanging(limit, f"/mnt/data{i}", policy) for i, limit in ((1, "memory.max"), (2, "memory.high"))]


def latencies():
    return [int(line) for line in read(LATENCIES).splitlines()]


def percentile(share, times):
    return sorted(times)[len(times) * share // 100]


subprocess.run(["mount", "-t", "ext4", "-o", "ro,noload", "/dev/vda", "/mnt"], check=True)
top = Cgroup(TOP)
top.enable()
neighbour = Container(top, "neighbour", group=0)
os.sched_setaffinity(neighbour.start("neighbour", anon=2).pid, {1})

hanging = both()
neighbour.processes[0].order(f"serve {LATENCIES}")
time.sleep(QUIET)
quiet = latencies()
with ThreadPoolExecutor() as pool:
    crept = list(pool.map(Hanging.creep_until_it_hangs, hanging))
print(f"      crept by {crept} MiB")
check("control: both get to stall", max(crept) < HOT, crept)
before, known = [c.stalled() for c in hanging], len(latencies())
time.sleep(HANG)
beside_control = latencies()[known:]
shares = [(c.stalled() - was) / HANG for c, was in zip(hanging, before)]
check("  and hang: more of the time than the policies allow", min(shares) > 0.25, shares)
same(f"  for {HANG} s no OOM ends that", [(c.cgroup.event("oom"), c.cgroup.event("oom_kill"), c.alive()) for c in hanging],
     [(0, 0, {"reader", "creeping"})] * 2)
for container in hanging:
    container.remove()

same("no agent runs", [p for p in os.listdir("/proc") if p.isdigit() and read(f"/proc/{p}/comm") == "oomlet\n"], [])
hanging = both("{victim: largest-rss, pressure: {full: 25%, over: 4s, for: 4s, cooldown: 60s}}")
for container, mib in zip(hanging, crept):
    container.creep(mib)
samples, above, died = [], {}, {}
known, end = len(latencies()), time.monotonic() + 60
while len(died) < len(hanging) and time.monotonic() < end:
    time.sleep(0.2)
    now = time.monotonic()
    samples.append((now, [c.stalled() for c in hanging]))
    # The kernel side's share of 4 s may be one of up to 6: it looks every 2 s
    earlier = [stalled for at, stalled in samples if at >= now - 6][0]
    for i, c in enumerate(hanging):
        if c not in above and samples[-1][1][i] - earlier[i] >= 0.25 * 6:
            above[c] = now
        if c not in died and not c.creeping.alive():
            died[c] = now
during = latencies()[known:]
for c in hanging:
    took = c in died and c in above and died[c] - above[c]
    check(f"{c.name}: killed within `for` and the kernel's interval of its threshold", took and took <= 4 + TICK, took)
    same("  only who creeps", c.alive(), {"reader"})
    c.reader.end()
known = len(latencies())
time.sleep(QUIET)
quiet += latencies()[known:]
print(f"      neighbour, 50th and 99th percentile in us: quiet {percentile(50, quiet)} {percentile(99, quiet)}, "
      f"beside the hang {percentile(50, during)} {percentile(99, during)}, beside the control "
      f"{percentile(50, beside_control)} {percentile(99, beside_control)}, of {len(quiet)}, {len(during)} and {len(beside_control)}")
check("the neighbour's 99th percentile is less than twice the quiet one", percentile(99, during) < 2 * percentile(99, quiet))
same("  it lives", neighbour.alive(), {"neighbour"})
agent = Agent()
until(10, lambda: len(records()) == 2)
same("on record: by pressure, at the container", sorted((r["container"]["name"], r["trigger"], r["level"], r["outcome"], r["victim"]["comm"])
     for r in records()), [(name, "pressure", "container", "killed", "creeping") for name in ("memory-high", "memory-max")])
for container in [*hanging, neighbour]:
    container.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(18)
