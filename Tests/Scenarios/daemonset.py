#!/usr/bin/python3
# The DaemonSet's own pod, as a container: its rights, mounts, network and probes, on a node that mounts bpffs late; containers
# by rule and by annotation, reload, death, removal.
# vm: --memory 1536 --timeout 600
# core
# takes 30
from agentpod import *
from hookless import *

BPFFS, LOG = "/sys/fs/bpf", "/tmp/agent.log"
HOOK, ENTRIES = "/usr/libexec/oci/hooks.d/oomlet-hook", "/usr/share/containers/oci/hooks.d/50-oomlet%s.json"
RULE = """
rules: [{match: {cgroup: "**/cri-containerd-ruled.scope"}, policy: youngest}]
system: {order: [%s]}
metrics: {address: 0.0.0.0:9644}
"""
says = lambda text, seconds=15: until(seconds, lambda: text in read(LOG))
degraded = lambda: [d["reason"] for d in status()["service"]["degraded"]]
attached = lambda: {c["id"]: c["policy"] for c in status()["attached"]}
mode = lambda path: oct(os.stat(path).st_mode & 0o7777)


def started(pod):
    before = read(LOG).count("is running")
    pod.start(open(LOG, "a"))
    assert until(30, lambda: read(LOG).count("is running") > before), read(LOG)


def doctor():
    out = pod.execute("/usr/bin/oomlet", "doctor", "-o", "json")[1]
    return {f["check"]: f["result"] for f in json.loads(out)["items"]}


# As systemd makes them
subprocess.run(["mount", "--make-rshared", "/"], check=True)
subprocess.run(["umount", BPFFS], check=True)
for path in "/etc/oomlet", os.path.dirname(HOOK), os.path.dirname(ENTRIES), "/run/crun", "/run/docker":
    shutil.rmtree(path, ignore_errors=True)

print("== the node's files", flush=True)
pod = AgentPod()
pod.init()
same("the init container puts the hook there", (mode(HOOK), subprocess.run([HOOK, "--version"], capture_output=True).returncode), ("0o755", 0))
same("  entries that name it", [json.loads(read(ENTRIES % stage))["hook"]["path"] for stage in ("", "-poststop")], [HOOK, HOOK])
same("  and the ConfigMap's configuration", read("/etc/oomlet/config.yaml"), read(HERE + "/../../manifests/kubernetes/config.yaml"))

print("== a node without bpffs", flush=True)
started(pod)
same("the agent starts and lives", (pod.probe("startup")[0], pod.probe("liveness")[0]), (200, 200))
code, body = pod.probe("readiness")
same("  is not ready, and the probe says why", (code, "no   policies loaded: /sys/fs/bpf is no BPF file system" in body), (503, True))
same("  it is degraded", (degraded(), status()["policies"]), (["bpffs"], []))
subprocess.run(["mount", "-t", "bpf", "-o", "mode=0700", "bpf", BPFFS], check=True)
check("mounted on the node: the agent sees it and loads the policies", says("configuration loaded again: /sys/fs/bpf is mounted"), read(LOG))
check("  and is ready", until(10, lambda: pod.probe("readiness")[0] == 200), pod.probe("readiness"))
same("  nothing is degraded", (degraded(), "largest-rss" in status()["policies"]), ([], True))
same("  it decides for the system", subprocess.run([HERE + "/.out/links", MOUNT], capture_output=True, text=True).stdout.split(), ["system"])

print("== its rights", flush=True)
facts = status_of(pod.pid)
KEPT = f"{1 << 1 | 1 << 34 | 1 << 38 | 1 << 39:016x}"  # CAP_DAC_OVERRIDE, CAP_SYSLOG, CAP_PERFMON, CAP_BPF
same("its capabilities are the documented ones, and it can gain none", [facts[key].strip() for key in ("CapEff", "CapPrm", "NoNewPrivs")],
     [KEPT] * 2 + ["1"])
same("its own filter of system calls is in force", facts["Seccomp"].strip(), "2")
same("its oom_score_adj, below the kubelet's", read(f"/proc/{pod.pid}/oom_score_adj"), "-999\n")
check("its memory is locked", int(facts["VmLck"].split()[0]) > 0, facts["VmLck"])
print("      memory:", *(f"{name} {int(read(f'{MOUNT}{pod.slice}/cri-containerd-{pod.id}.scope/memory.{name}')) / MIB:.1f} MiB"
                         for name in ("current", "peak")))
same("it has a cgroup namespace of its own", os.readlink(f"/proc/{pod.pid}/ns/cgroup") != os.readlink("/proc/self/ns/cgroup"), True)
same("doctor in the pod finds nothing wrong, but may not name the policies of others (SYS_ADMIN)",
     {name: result for name, result in doctor().items() if result != "ok"}, {"foreign-policy": "warn"})

print("== containers", flush=True)
pods = "/kubepods.slice/kubepods-pod%s.slice/cri-containerd-%s.scope"
names = lambda name: {"io.kubernetes.cri.container-name": name, "io.kubernetes.cri.sandbox-name": name + "-pod"}
pod.configure(RULE % "usage")
check("a changed ConfigMap is loaded", says("configuration loaded again: its files have changed"), read(LOG))
ruled = Run(" ".join(RUNC), "ruled", pods % (1, "ruled"), names("ruled"), "old=20", "young=2")
asked = Run(" ".join(RUNC), "asked", pods % (2, "asked"), {"oom.policy": "{victim: oldest, protect: [init]}", **names("asked")}, "old=2", "young=6")
later = Run("crun", "later", pods % (3, "later"), {"oom.policy": "largest-rss", **names("later")}, "small=2", "large=6")
check("those of containerd's and of crun's directories have their policies, by rule and by annotation",
      until(10, lambda: attached() == {"ruled": "youngest", "asked": "oldest", "later": "largest-rss"}), attached())
for container, victim, mib, other in (ruled, "young", 45, "old"), (asked, "old", 45, "young"), (later, "large", 60, "small"):
    same(f"  {container.name}: who dies", container.who_dies(victim, mib, other), [victim])
until(5, lambda: len(records()) == 3)
same("the kills are on record", [(r["container"]["name"], r["policy"], r["victim"]["comm"]) for r in records()],
     [("ruled", "youngest", "young"), ("asked", "oldest", "old"), ("later", "largest-rss", "large")])
KILLS = 'oomlet_kills_total{policy="%s",trigger="limit",level="container",outcome="killed"}'
same("and in the metrics, through the port that the manifest declares", [pod.metric(KILLS % p) for p in ("youngest", "oldest", "largest-rss")], [1, 1, 1])
same("  which is the port of its annotations", [int(pod.annotations["prometheus.io/port"])], [p["containerPort"] for p in pod.container["ports"]])
same("  with nothing degraded", [pod.metric('oomlet_degraded{reason="%s"}' % r) for r in ("bpffs", "runtimes", "privileges", "metrics")], [0] * 4)

print("== its death", flush=True)
pod.stop(signal.SIGKILL)
before = ruled.alive()
write(ruled.path + "/ctl/commands", "grow young 45\n")
until(15, lambda: ruled.alive().get("young", before["young"]) != before["young"])
same("policies decide without it", [name for name in before if before[name] != ruled.alive().get(name)], ["young"])
started(pod)
check("the next container of the pod adopts", "adopted 3 containers" in read(LOG), read(LOG))
check("  and has the record", until(5, lambda: pod.metric(KILLS % "youngest") == 2), pod.metric(KILLS % "youngest"))
same("  nothing is degraded", degraded(), [])
same("no system call was refused", "seccomp" in read(LOG), False)
same("it ends cleanly", pod.stop(), 0)

print("== without the runtimes' directories", flush=True)


def leave_out(spec):
    (container,) = spec["containers"]
    container["volumeMounts"] = [m for m in container["volumeMounts"] if m["name"] not in ("runc", "crun", "containerd", "docker")]


whole, pod = pod, AgentPod(edit=leave_out)
started(pod)
check("the agent says so", until(10, lambda: degraded() == ["runtimes"]), degraded())
check("  and which", says("the node's /run/runc, /run/crun, /run/containerd/runc, /run/docker/runtime-runc can't be seen here"), read(LOG))
same("  doctor has the remedy", (doctor()["runtimes"], "mount the node's directory" in pod.execute("/usr/bin/oomlet", "doctor")[1]), ("warn", True))
pod.stop()
for container in ruled, asked, later:
    container.remove()
    os.rmdir(os.path.dirname(MOUNT + container.cgroup))
started(whole)
check("what is left of containers that ended meanwhile is removed", until(10, lambda: not os.listdir("/run/oomlet/containers")))
whole.stop()
subprocess.run(["umount", *pod.mounted], check=True)
whole.remove()

print("== removal", flush=True)
removal = AgentPod("uninstall")
removal.init()
same("the other DaemonSet takes hook and entries off", [os.path.exists(p) for p in (HOOK, ENTRIES % "", ENTRIES % "-poststop")], [False] * 3)
check("  and leaves the configuration", os.path.exists("/etc/oomlet/config.yaml"))
removal.remove()
check_clean("/oomlet-test")
finish(43)
