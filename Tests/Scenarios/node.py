#!/usr/bin/python3
# The node's configuration: who gives way among pods, what is protected, default policies by rule, caps, and containers
# that no hook was called for.
# vm: --memory 1024
# core
# takes 50
import json
import os
import shutil
import subprocess

from hookless import *
from threepods import *

CONFIG = "/etc/oomlet/config.yaml"
LOG = "/tmp/agent.log"


def configure(text):
    write(CONFIG, text)


def start_agent(config=None):
    if config is not None:
        configure(config)
    return Agent()


def attached():
    return {c["id"]: c for c in status()["attached"]}


def policy_of(container):
    return attached().get(container if isinstance(container, str) else container.id, {}).get("policy")


def new_record(known):
    until(5, lambda: len(records()) > known)
    got = records()[known:]
    return got[-1] if got else {"compared": {}}


# Kept open: an exhausted kernel forgets names, and then may fail to ask the machine outside for them (9p)
os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
configure("")
kept = [open(CONFIG), os.open(os.path.dirname(CONFIG), os.O_RDONLY)]

# --- three pods under node OOM -------------------------------------------------------------
ballast = take_memory(leaving_mib=250)
pods = Pods()
same("control, without policy: at the node's OOM the kernel takes the largest, the Guaranteed pod",
     pods.deaths(lambda: exhaust_memory(pods.top)), both("guaranteed"))
pods.remove()

agent = start_agent()
shape, named = BY_QOS
pods = Pods(**shape)
pods.attach(*shape["policies"])
known = len(records())
same("the node's order: the BestEffort pod gives way, though it is the smallest and has no policy",
     pods.deaths(lambda: exhaust_memory(pods.top)), named)
record = new_record(known)
compared = record["compared"]
same("  record: level, and how many were compared by what", (record["level"], compared.get("decided_by"), compared.get("order")),
     ("system", "qos", ["priority", "qos", "over-request", "usage"]))
same("  record: both values", (compared["values"]["qos"], compared["next_values"]["qos"]), ("BestEffort", "Burstable or unknown"))
same("  record: who came next", [compared["next"][key] for key in ("name", "pod", "namespace", "cgroup")],
     ["burstable", "burstable-pod", "team-burstable", pods.burstable.cgroup.path])
check("  record: why, for people", "the container is BestEffort, before Burstable or unknown of burstable-pod/burstable" in record["why"], record["why"])
pods.remove()

shape, named = BY_PRIORITY
pods = Pods(**shape)
pods.attach(*shape["policies"])
known = len(records())
same("a lower priority comes before the QoS class: the Guaranteed pod gives way, one process by its policy",
     pods.deaths(lambda: exhaust_memory(pods.top)), named)
compared = new_record(known)["compared"]
same("  record: both priorities", (compared["decided_by"], compared["values"]["priority"], compared["next_values"]["priority"]),
     ("priority", -100, 0))
pods.remove()
ballast.end()
agent.stop()

# --- system.protect ------------------------------------------------------------------------
ORDER = "system: {order: [usage]%s}\n"
agent = start_agent(ORDER % "")
pods = Pods({"burstable": "largest-rss"})
pods.service("db.service", 80)
pods.attach("burstable")
same("control, by usage and without protect: the large service gives way", pods.deaths(), [("db.service", "db.servi")])
pods.remove()
agent.stop()

agent = start_agent("system: {order: [priority, usage]}\n")
pods = Pods({"besteffort": "{victim: largest-rss, priority: -1000000000, dry-run: true}"})
pods.attach("besteffort")
known = len(records())
same("a dry run with the lowest priority does not keep the node from deciding", pods.deaths(), both("guaranteed"))
same("  nor is it what is on record", [(r["outcome"], r["victim"]["comm"]) for r in records()[known:]], [("killed", "guaranteed")])
pods.remove()
pods = Pods({"guaranteed": "{victim: youngest, dry-run: true}"})
pods.attach("guaranteed")
known = len(records())
check("one that gives way does so by the kernel's measure", ("guaranteed", "guaranteed") in pods.deaths())
same("  and the record says so", [(r["outcome"], r["victim"]["comm"], r["notes"]) for r in records()[known:]],
     [("killed", "guaranteed", ["dry-run-policy"])])
pods.remove()
agent.stop()

agent = start_agent(ORDER % (", protect: [\"%s/system.slice/*\", init.scope]" % TOP[1:]))
pods = Pods({"burstable": "largest-rss"})
pods.service("db.service", 80)
pods.attach("burstable")
check("the agent marks a cgroup made after its start", until(5, lambda: "protected: cgroup /oomlet-test/system.slice/db.service" in read(LOG)))
known = len(records())
same("protected: the next largest, the Guaranteed pod, gives way", pods.deaths(), both("guaranteed"))
compared = new_record(known)["compared"]
same("  record: decided by usage among those that are not protected", (compared["decided_by"], compared["values"]["protect"]), ("usage", False))
pods.remove()

pods = Pods({"burstable": "largest-rss"})
pods.attach("burstable")
answer = json.loads(subprocess.run(["oomlet", "explain", "burstable", "--at", "slice", "-o", "json"], capture_output=True, text=True).stdout)
same("explain --at slice: the cgroup above the pod, and who would die there", (answer["decision"]["limit_cgroup"], answer["decision"]["level"],
     answer["decision"]["victim"]["comm"]), (os.path.dirname(os.path.dirname(pods.burstable.cgroup.path)), "slice", "burstable"))
pods.remove()
pods = Pods({"burstable": "largest-rss"})
db, log = pods.service("db.service", 60), pods.service("log.service", 12)
inner = Cgroup(db.cgroup.path + "/inner")
db.processes.append(Process(inner.dir, "deep", anon=90).ready())
pods.attach("burstable")
agent.stop(signal.SIGKILL)
for gone in (pods.guaranteed, pods.besteffort):
    gone.cgroup.set("cgroup.kill", 1)
    until(5, lambda: not gone.alive())
same("without an agent the marks stay, for what is below, too", pods.deaths(), [("burstable", "burstable")])
same("  until the last pod is gone", pods.deaths(), [("burstable", "burstable-2")])
agent = start_agent()
app = Container(pods.cgroups[pods.burstable.cgroup.path.rpartition("/")[0]], "immune", "youngest")
app.start("immune", anon=2, adj=-1000)
app.attach()
known = len(records())
same("with nothing else left a protected one gives way", pods.deaths(lambda: run_out(pods.top, app.processes[0])), [("db.service", "deep")])
record = new_record(known)
check("  record: the notes say so", "container-protected" in record.get("notes", []), record.get("notes"))
agent.stop()
agent = start_agent(ORDER % "")
check("a configuration without it: the mark is taken back", "protected no more: cgroup /oomlet-test/system.slice/db.service" in read(LOG))
same("  and the service gives way like others", pods.deaths(lambda: run_out(pods.top, app.processes[0])), [("db.service", "db.servi")])
app.remove()
inner.remove()
pods.remove()
agent.stop()

# --- rules, caps ---------------------------------------------------------------------------
RULES = """
annotations: {priority: {max: 500}, kill-pod: false}
rules:
- match: {cgroup: "**/kubepods-burstable.slice/*/cri-containerd-*.scope", namespace: team-other}
  policy: oldest
- match: {cgroup: "oomlet-test/kubepods.slice/kubepods-burstable.slice/**"}
  policy: {victim: youngest, kill: process}
- match: {qos: BestEffort, label: {tier: "we*"}}
  policy: oldest
- match: {namespace: team-g*}
  policy: largest-rss
  dry-run: true
"""
agent = start_agent(RULES)
labels = {"besteffort": {"io.kubernetes.cri-o.Labels": json.dumps({"tier": "web"})}}
pods = Pods(annotations=labels)
pods.attach()
same("rules by cgroup, by QoS class and label, by namespace give default policies",
     {c.name: policy_of(c) for c in pods.containers}, {"guaranteed": "largest-rss", "burstable": "youngest", "besteffort": "oldest"})
same("  and the status says by which", [attached()[c.id]["rule"] for c in pods.containers], [4, 2, 3])
same("  one decides at its container's own limit", deaths(pods.containers, lambda: run_out(pods.burstable.cgroup, pods.burstable.processes[0])),
     [("burstable", "burstable-2")])
pods.burstable.cgroup.set("memory.max", "max")
known = len(records())
pods.guaranteed.cgroup.set("memory.oom.group", 1)
got = deaths(pods.containers, lambda: run_out(pods.guaranteed.cgroup, pods.guaranteed.processes[1]))
record = new_record(known)
same("dry-run of a rule: nothing by oomlet's hand, and on record",
     (record.get("outcome"), record.get("also_killed"), [r["outcome"] for r in records()[known:]]), ("dry-run", 0, ["dry-run"]))
log = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
check("  the kernel killed, not a policy", got and "Memory cgroup out of memory: Killed process" in log, got)
pods.remove()

pods = Pods({"burstable": "{victim: oldest, priority: 400, kill: pod}"})
status_, said = pods.burstable.hook()
same("an annotation comes before rules; what the node allows is not capped", (status_, policy_of(pods.burstable), "priority" in said), (0, "oldest", False))
check("  kill: pod is taken for kill: container, and said", "kill: pod is capped to container" in said and attached()[pods.burstable.id]["kill"] == "container", said)
pods.besteffort.attach()
same("  no rule, no policy", policy_of(pods.besteffort), None)
pods.guaranteed.policy = "{victim: oldest, priority: 501}"
check("  a priority above the cap is capped", "capped to 500" in pods.guaranteed.hook()[1])
pods.remove()
# All annotations of a pod reach the hook of CRI-O, so containerd's keys are the tenant's word there
pods = Pods()
crio = pods.guaranteed
crio.annotations = {"io.container.manager": "cri-o", "io.kubernetes.cri-o.ContainerID": crio.id, "io.kubernetes.pod.namespace": "elsewhere",
                    "io.kubernetes.cri.sandbox-namespace": "team-gold", "io.kubernetes.cri.container-type": "sandbox"}
crio.attach()
same("on CRI-O, containerd's keys of a pod give it no rule", policy_of(crio), None)
crio.annotations["io.kubernetes.pod.namespace"] = "team-green"
crio.attach()
same("  nor do they take one away", policy_of(crio), "largest-rss")
pods.remove()
configure("rules: [{policy: largets-rss}]")
pods = Pods()
status_, said = pods.burstable.hook()
check("a broken configuration: one without annotation starts, with one warning that has line and column",
      status_ == 0 and said.count("\n") == 1 and "line 1, column 18" in said and 'did you mean "largest-rss"' in said, said)
agent.stop()
run = subprocess.run(["oomlet", "agent"], capture_output=True, text=True, timeout=20)
check("  no agent starts with it", run.returncode == 3 and "line 1, column 18" in run.stderr, run)
pods.remove()

# --- containers that no hook was called for --------------------------------------------------
run_in_top = lambda runtime, name, *rest: Run(runtime, name, f"{TOP}/{name}", *rest)
top = Cgroup(TOP)
top.enable()
containers = [run_in_top("runc", "by-runc", {"oom.policy": "{victim: youngest, kill: process}", "bundle": "/nowhere"}, "old=20", "young=2"),
              run_in_top("crun", "by-crun", {"oom.policy": "{victim: oldest, protect: [init]}"}, "old=2", "young=6"),
              run_in_top("runc", "by-rule", {}, "old=6", "large=2"),
              run_in_top("crun", "wrong", {"oom.policy": "yongest"}, "w=2"),
              run_in_top("runc", "pause", {"oom.policy": "yongest", "io.kubernetes.cri.container-type": "sandbox"}, "w=2")]
BY_RULE = "rules: [{match: {cgroup: oomlet-test/by-rule*}, policy: %s}]\n"
agent = start_agent(BY_RULE % "largest-rss")
same("containers that ran before the agent have their policies: of their annotation, of a rule, none",
     [policy_of(name) for name in ("by-runc", "by-crun", "by-rule", "wrong")], ["youngest", "oldest", "largest-rss", None])
check("  one that is wrong is named with its annotation", "/run/crun/wrong gets no policy" in read(LOG) and 'did you mean \\"youngest\\"' in read(LOG)
      or 'did you mean "youngest"' in read(LOG), read(LOG)[-500:])
check("  a pause container's is not looked at", "/run/runc/pause" not in read(LOG), read(LOG)[-500:])
groups = [read(f"{MOUNT}{TOP}/{c.name}/memory.oom.group").strip() for c in containers[:3]]
same("  memory.oom.group is as they need it", groups, ["0", "0", "0"])
for container, victim, mib, other in zip(containers[:3], ("young", "old", "large"), (45, 45, 60), ("old", "young", "old")):
    same(f"  {container.name}: who dies", container.who_dies(victim, mib, other), [victim])
later = run_in_top("runc", "by-rule-later", {}, "w=4")
check("one that starts later, without a hook, gets the rule's policy", until(5, lambda: policy_of("by-rule-later") == "largest-rss"), attached())
agent.stop()
agent = start_agent(BY_RULE % "{victim: youngest, kill: container}")
same("another policy in the rule: they get it, annotations stay", [policy_of(name) for name in ("by-runc", "by-rule", "by-rule-later")],
     ["youngest", "youngest", "youngest"])
links = subprocess.run([HERE + "/.out/links", f"{MOUNT}{TOP}/by-rule"], capture_output=True, text=True).stdout
same("  one policy on the cgroup, by the new name", links.split(), ["youngest"])
same("  and memory.oom.group for it", read(f"{MOUNT}{TOP}/by-rule/memory.oom.group").strip(), "1")
agent.stop()
agent = start_agent("")
same("no rule any more: no policy", [policy_of("by-rule"), policy_of("by-runc")], [None, "youngest"])
for container in containers + [later]:
    container.remove()
check("when they are gone, the agent removes what is left of them", until(5, lambda: not os.listdir("/run/oomlet/containers")),
      os.listdir("/run/oomlet/containers"))
top.remove()

same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(56)
