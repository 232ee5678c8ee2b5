#!/usr/bin/python3
# Every victim rule x kill scope x level: who dies is what a plain model computes from
# /proc, and nobody else does. Here at container, pod and slice; matrix_system: at the system.
# vm: --memory 1024
# takes 75
"""The tree: a slice with two pods. The first has container app with a process for each
rule, container side with a policy of its own, and container plain without; the second pod
has container other. The order is by usage, so app gives way everywhere.
"""

import os

from oomtree import *

TOP = "/oomlet-test"

SHAPES = [  # in order of their start
    ("first", dict(anon=4)),
    ("shmem", dict(shmem=6, anon=1)),
    ("anon", dict(anon=6)),
    ("rss", dict(anon=4, shmem=4)),
    ("sparse", dict(sparse=5)),
    ("score", dict(anon=4, adj=700)),
    ("last", dict(anon=4)),
]
OTHERS = {"side": 4, "plain": 3, "other": 5}  # anonymous memory, in MiB

RULES = {  # the model: what is compared, the highest dies
    "largest-rss": lambda f: f["rss"],
    "largest-memory": lambda f: f["size"],
    "largest-anon": lambda f: f["anon"],
    "largest-shmem": lambda f: f["shmem"],
    "youngest": lambda f: f["start"],
    "oldest": lambda f: -f["start"],
    "highest-oom-score": lambda f: f["oom_score"],
    "kernel": None,
}
# The rule is written for this process: the shapes must tell the rules apart
MEANT = {"largest-rss": "rss", "largest-memory": "sparse", "largest-anon": "anon", "largest-shmem": "shmem",
         "youngest": "last", "oldest": "first", "highest-oom-score": "score", "kernel": "score"}


class Tree:
    def __init__(self):
        self.top = Cgroup(TOP)
        self.top.enable()
        self.slice = Cgroup(TOP + "/kubepods-test.slice")
        self.slice.enable()
        self.pods = [Cgroup(f"{self.slice.path}/kubepods-test-pod{i}.slice") for i in (1, 2)]
        for pod in self.pods:
            pod.enable()
        self.named = {}

    def furnish(self, rule=None, kill=None):
        """Containers with these policies, and all their processes: those of before, where that is what they are."""
        policies = {"app": rule and f"{{victim: {rule}, kill: {kill}}}", "side": rule and "youngest", "plain": None,
                    "other": rule and "largest-rss"}
        fresh = [name for name, policy in policies.items() if name not in self.named or
                 self.named[name].policy != policy or not all(p.alive() for p in self.named[name].processes)]
        at_once(self.named[name].remove for name in fresh if name in self.named)
        for name in fresh:
            self.named[name] = Container(self.pods[name == "other"], name, policies[name])
            for process, shape in SHAPES if name == "app" else [(name, dict(anon=OTHERS[name]))]:
                self.named[name].begin(process, **shape)
        all_ready(self.named[name] for name in fresh)
        at_once(self.named[name].attach for name in fresh if policies[name])
        self.app, self.side, self.plain = (self.named[name] for name in ("app", "side", "plain"))
        self.containers = list(self.named.values())

    def run_out(self, level):
        if level == "system":
            exhaust_memory(self.top)
        else:
            cgroup = {"container": self.app.cgroup, "pod": self.pods[0], "slice": self.slice}[level]
            run_out(cgroup, self.app.processes[0])

    def unlimited(self):
        for cgroup in [self.slice, *self.pods]:
            cgroup.set("memory.max", "max")

    def remove(self):
        at_once(container.remove for container in self.containers)
        for cgroup in self.pods + [self.slice, self.top]:
            cgroup.remove()


def expected(rule, kill, level):
    """The model: who is to die."""
    if rule == "kernel" and level == "container":
        # The policy stands aside; memory.oom.group is as the scope wants it
        victim = kernels_choice()
        return {("app", victim)} if kill == "process" else {("app", p.name) for p in tree.app.processes}
    facts = {p.name: p.facts() for p in tree.app.processes}
    compare = RULES[rule] or (lambda f: f["size"] + f["adj"] * 10**6)
    victim = max(facts, key=lambda name: (compare(facts[name]), facts[name]["size"], facts[name]["start"]))
    assert victim == MEANT[rule], (rule, victim, facts)
    if kill == "process":
        return {("app", victim)}
    if kill == "container":
        return {("app", p.name) for p in tree.app.processes}
    return {(c.name, p.name) for c in (tree.app, tree.side, tree.plain) for p in c.processes}


def kernels_choice():
    """oom_badness(): size, and oom_score_adj in thousandths of the limit."""
    limit = int(tree.app.cgroup.get("memory.current"))
    facts = {p.name: p.facts() for p in tree.app.processes}
    return max(facts, key=lambda name: facts[name]["size"] + facts[name]["adj"] * limit // 1000)


def case(rule, kill, level):
    tree.furnish(rule, kill)
    known = len(records())
    want = expected(rule, kill, level)
    same(f"{level}: {rule}, kill {kill}", deaths(tree.containers, lambda: tree.run_out(level)), sorted(want))
    until(5, lambda: len(records()) > known)
    new = records()[known:]
    record = new[0] if new else {}
    outcome = "stood-aside" if rule == "kernel" and level == "container" else "killed"
    got = (len(new), record.get("level"), record.get("policy"), record.get("kill"), record.get("outcome"),
           record.get("container", {}).get("name"))
    same(f"  on record, once", got, (1, level, rule, kill, outcome, "app"))
    tree.unlimited()


def control(level):
    """Without policy: the kernel's choice, and with memory.oom.group all of its container."""
    tree.furnish()
    same(f"{level}: control without policy: all of the kernel's choice",
         deaths(tree.containers, lambda: tree.run_out(level)), sorted(("app", p.name) for p in tree.app.processes))
    tree.unlimited()


tree = Tree()
agent = Agent()
rules = os.environ.get("RULES", " ".join(RULES)).split()
kills = os.environ.get("KILLS", "process container pod").split()
levels = os.environ.get("LEVELS", "container pod slice").split()
for level in levels:
    if level == "system":
        # What is taken for good need not be taken for each case
        ballast = take_memory(leaving_mib=160)
    control(level)
    for rule in rules:
        for kill in kills:
            case(rule, kill, level)
if "system" in levels:
    ballast.end()
tree.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(len(levels) * (1 + 2 * len(rules) * len(kills)) + 7)
