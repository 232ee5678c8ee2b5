#!/usr/bin/python3
# Not a test: how long N limit OOMs at the same moment take (N, MB, ROUNDS), decided by the kernel and by a policy, in turns in
# one boot; and how many died besides.
# vm: --memory 2048
# alone
import statistics

from oomtree import *

N, MB, ROUNDS = (int(os.environ.get(key, default)) for key, default in (("N", 30), ("MB", 24), ("ROUNDS", 10)))
TOP = "/oomlet-test"
SECONDS = 60


def storm(policy, turn):
    """How long it took until somebody had died in each of them, and how many died besides."""
    containers = [Container(top, f"{policy}-{turn}-{i}", policy, group=0) for i in range(N)]
    for container in containers:
        container.begin("big", anon=MB), container.begin("small", anon=6)
    all_ready(containers)
    for container in containers:
        if policy:
            container.attach()
        container.cgroup.set("memory.max", int(container.cgroup.get("memory.current")) + MIB)
    start = time.monotonic()
    for container in containers:
        container.processes[1].order("grow 6")
    left = containers
    while left and time.monotonic() - start < SECONDS:
        left = [container for container in left if all(process.alive() for process in container.processes)]
        time.sleep(0.002)
    seconds = time.monotonic() - start
    time.sleep(0.5)
    deaths = sum(not process.alive() for container in containers for process in container.processes)
    for container in containers:
        container.remove()
    return seconds, deaths - N


top = Cgroup(TOP)
top.enable()
agent = Agent()
seconds, besides = {None: [], "largest-rss": []}, {None: 0, "largest-rss": 0}
for turn in range(ROUNDS):
    for policy in seconds:
        took, more = storm(policy, turn)
        seconds[policy].append(took)
        besides[policy] += more
agent.stop()
kernel, oomlet = (statistics.median(times) for times in seconds.values())
print(f"{N} at once, victims of {MB} MiB, {ROUNDS} rounds: kernel {kernel * 1e3:.0f} ms, oomlet {oomlet * 1e3:.0f} ms, "
      f"ratio {oomlet / kernel:.2f}; died besides: kernel {besides[None]}, oomlet {besides['largest-rss']}")
print({policy or "kernel": [round(took, 3) for took in times] for policy, times in seconds.items()})
