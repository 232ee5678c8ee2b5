#!/usr/bin/python3
# Not a test: how often an OOM takes a second process, because the memory of the first is still
# charged when it no longer counts as dying; the kernel's own choice and a policy in turns.
import os

from oomtree import *

TOP = "/oomlet-test"
policy = os.environ.get("POLICY", "largest-rss")  # youngest: not whom the kernel would choose
rounds = int(os.environ.get("ROUNDS", "50"))
top = Cgroup(TOP)
top.enable()
agent = Agent()
extra = {"kernel": 0, "policy": 0}
for i in range(rounds):
    for who in extra:
        container = Container(top, f"{who}{i}", policy if who == "policy" else None, group=0)
        container.start("large", anon=30)
        for j in range(3):
            container.start(f"small{j}", anon=9)
        if who == "policy":
            container.attach()
        extra[who] += len(deaths([container], lambda: run_out(container.cgroup, container.processes[1]))) - 1
        container.remove()
print(f"of {rounds} OOMs each took one more process: the kernel's {extra['kernel']}, the policy's {extra['policy']}")
agent.stop()
