#!/usr/bin/python3
# One container, five reasons: its own limit, its pod's, a slice's, the node's memory, pressure. The records say which, and the
# queries of docs/records.md find each.
# vm: --memory 768
# core
# takes 40
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
top.enable()
slice = Cgroup(TOP + "/kubepods.slice")
slice.enable()
pods = [Cgroup(f"{slice.path}/kubepods-pod{i}.slice") for i in (1, 2)]
for pod in pods:
    pod.enable()
names = lambda pod: {"io.kubernetes.cri.sandbox-name": pod, "io.kubernetes.cri.sandbox-namespace": "shop"}
web = Container(pods[0], "web", "{victim: largest-rss, pressure: {full: 20%, over: 2s, for: 2s}}", names("web-1"))
cart = Container(pods[1], "cart", "largest-rss", names("cart-1"))
web.start("main", anon=4), cart.start("cart", anon=8)
web.attach(), cart.attach()
agent = Agent()
expected = []


def case(victim, act, trigger, level, cgroup):
    """One process more in web, which dies of the act."""
    process = web.start(victim, anon=30)
    same(f"{trigger}, {level}: who dies", deaths([web, cart], lambda: act(process), 60), [("web", victim)])
    limit = cgroup.get("memory.max") if cgroup else "max"
    expected.append((trigger, level, cgroup.path if cgroup else "/", None if limit == "max" else int(limit), "web", victim))
    if cgroup:
        cgroup.set("memory.max", "max")


def stall(process):
    web.cgroup.set("memory.high", int(web.cgroup.get("memory.current")) + MIB)
    process.order("grow 60")


for name, level, cgroup in ("own", "container", web.cgroup), ("pods", "pod", pods[0]), ("slices", "slice", slice):
    case(name, lambda process: run_out(cgroup, process), "limit", level, cgroup)
case("nodes", lambda _: exhaust_memory(top), "system", "system", None)
case("stalled", stall, "pressure", "container", web.cgroup)
until(10, lambda: len(records()) == len(expected))
same("the records differ by trigger, level, limit's cgroup and bytes",
     [(r["trigger"], r["level"], r["limit_cgroup"], r["limit_bytes"], r["container"]["name"], r["victim"]["comm"]) for r in records()], expected)

queries = [line.strip() for line in read(HERE + "/../../docs/records.md").splitlines() if line.startswith("    oomlet kills")]
runs = [subprocess.run(query, shell=True, capture_output=True, text=True) for query in queries]
for run, (trigger, level, *_, victim) in zip(runs, expected):
    check(f"{trigger}, {level}: found with one line of jq", run.stdout.count("\n") == 1 and victim in run.stdout, run)
same("the other queries of the documentation find something", [run.args for run in runs if run.returncode or run.stderr or not run.stdout], [])
# A limit inside of a container, which it has set itself: its first process makes room for cgroups of its own
def inside(policy):
    """Who dies of it, and what the record says."""
    box = Container(pods[1], "box", policy, names("box-1"))
    first = box.start("init", anon=1)
    box.attach()
    init, inner = Cgroup(box.cgroup.path + "/init"), Cgroup(box.cgroup.path + "/app")
    init.set("cgroup.procs", first.pid)
    box.cgroup.enable()
    box.processes += [Process(inner.dir, name, anon=mib).ready() for name, mib in (("worker", 20), ("helper", 5))]
    known = len(records())
    died = deaths([box, cart], lambda: run_out(inner, box.processes[1]))
    until(10, lambda: len(records()) > known)
    box.cgroup.set("cgroup.kill", 1)
    for process in box.processes:
        process.end()
    init.remove(), inner.remove(), box.remove()
    return died, records()[-1]["sentence"]


died, sentence = inside("largest-rss")
same("a limit inside of a container: its policy decides there", died, [("box", "worker")])
check("  and the sentence names what ran out", sentence.startswith("cgroup app in container box-1/box reached its limit of "), sentence)
for kill in "container", "pod":
    died, sentence = inside(f"{{victim: largest-rss, kill: {kill}}}")
    same(f"  kill: {kill}: all of that cgroup dies, and nobody else", died, [("box", "helper"), ("box", "worker")])
    check("  and the sentence says so", "; its cgroup with it" in sentence, sentence)
web.remove(), cart.remove()
for cgroup in [*pods, slice, top]:
    cgroup.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(25)
