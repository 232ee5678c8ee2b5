#!/usr/bin/python3
# `oomlet explain` names the process that then dies, in random process trees.
# vm: --memory 2048
# core
# takes 50
import os
import random
import subprocess

from oomtree import *

TOP = "/oomlet-test"
TREES = int(os.environ.get("TREES", "50"))
seed = int(os.environ.get("SEED", random.randrange(10**6)))
print(f"      SEED={seed}")
RULES = ["largest-rss", "largest-memory", "largest-anon", "largest-shmem", "youngest", "oldest", "highest-oom-score"]
COMMS = ["web", "web-1", "worker", "worker-2", "db", "db-main", "cache"]


def random_policy(chance):
    policy = {"victim": chance.choice(RULES)}
    if chance.random() < 0.4:
        policy["protect"] = chance.sample(["init", "w*", "db*", "*-*"], chance.randint(1, 2))
    if chance.random() < 0.3:
        policy["prefer"] = ["cache", "*er*"]
    if chance.random() < 0.3:
        policy["min-size"] = f"{chance.randint(2, 8)}Mi"
    return json.dumps(policy)


def random_shapes(chance):
    """The first has no oom_score_adj: somebody must be left to choose. No two are alike to within what reclaim may take of them
    (their program's file) between question and OOM."""
    while True:
        shapes = []
        for i, anon in enumerate(chance.sample(range(2, 12), chance.randint(3, 8))):
            shape = {"anon": anon}
            if chance.random() < 0.3:
                shape["shmem"] = chance.randint(2, 8)
            if i and chance.random() < 0.3:
                shape["adj"] = chance.choice([-1000, -500, 100, 900])
            if chance.random() < 0.2:
                shape["threads"] = 3
            shapes.append(shape)
        sizes = [[s["anon"] for s in shapes], [s["anon"] + s.get("shmem", 0) for s in shapes],
                 [s["shmem"] for s in shapes if "shmem" in s]]
        if all(a != b for kind in sizes for j, a in enumerate(kind) for b in kind[:j]):
            return shapes


def random_container(chance, pod, name):
    container = Container(pod, name, random_policy(chance))
    for shape in random_shapes(chance):
        container.begin(chance.choice(COMMS), **shape)
    all_ready([container])
    container.attach()
    return container


def explain(container, at):
    run = subprocess.run(["oomlet", "explain", container.id, "--at", at, "-o", "json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def is_right(i):
    """Whether the process that is named for tree i is the one that dies."""
    chance = random.Random(f"{seed}.{i}")
    pod = Cgroup(f"{kubepods.path}/pod{i}")
    pod.enable()
    at = "pod" if i % 2 else "container"
    containers = [random_container(chance, pod, name) for name in ("ab" if at == "pod" else "a")]
    answer = explain(containers[0], at)
    foretold = answer["decision"]["victim"]
    # Grows by next to nothing before memory is out; the one least likely to be moved by it, but not one to which min-size is near
    grower = next((c for c in reversed(answer["candidates"]) if c["class"] != "small"), answer["candidates"][-1])["pid"]
    process = next(p for c in containers for p in c.processes if p.pid == grower)
    cgroup = pod if at == "pod" else containers[0].cgroup
    cgroup.set("memory.max", int(cgroup.get("memory.current")) + 32 * 4096)
    process.order("grow 2")
    ids = [c.id for c in containers]
    died = until(30, lambda: next((r["victim"] for r in records() if r["container"]["id"] in ids), None))
    right = bool(died) and died["pid"] == foretold["pid"] == answer["candidates"][0]["pid"]
    if not right:
        print(f"      tree {i}, at {at}: {[c.policy for c in containers]}: foretold {foretold}, died {died}, {answer['candidates']}")
    for container in containers:
        container.remove()
    pod.remove()
    return right


agent = Agent()
top = Cgroup(TOP)
top.enable()
kubepods = Cgroup(TOP + "/kubepods")
kubepods.enable()
with ThreadPoolExecutor(3) as pool:
    right = sum(pool.map(is_right, range(TREES)))
same("explain was right about who dies", f"{right} of {TREES}", f"{TREES} of {TREES}")

pod = Cgroup(kubepods.path + "/podx")
pod.enable()
web = Container(pod, "web", "youngest")
web.start("old", anon=9), web.start("new", anon=5)
web.attach()
run = lambda *args: subprocess.run(["oomlet", "explain", *args], capture_output=True, text=True)
table = run("web").stdout
same("the table has a sentence, a header and a row for each candidate", [line.split()[:3] for line in table.splitlines()[2:]],
     [["RANK", "PID", "COMM"], ["1", str(web.processes[1].pid), "new"], ["2", str(web.processes[0].pid), "old"]])
check("the sentence says who and why", "policy youngest would kill new" in table and "started last of 2 processes" in table, table)
check("nobody has died of being explained", len(web.alive()) == 2)
nowhere = run("wbe")
same("an unknown container: exit 7, the nearest", (nowhere.returncode, 'did you mean "web"?' in nowhere.stderr), (7, True))
web.remove()
for cgroup in (pod, kubepods, top):
    cgroup.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(12)
