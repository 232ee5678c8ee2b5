#!/usr/bin/python3
# Relief before an OOM: memory is reclaimed, files are deleted, a process is told, and what that freed is on record. The kernel's
# stage waits for none of it, and nothing outside the container is touched.
# vm: --memory 1024 --disk Tests/Scenarios/.out/disk.img:800
# takes 60
from oomtree import *

TOP = "/oomlet-test"
DATA = ["/mnt/data1", "/mnt/data2"]  # two: cached pages are shared
TICK = 4
RELIEF = "/var/lib/oomlet/relief.jsonl"
all_reliefs = Journal(RELIEF).all


def reliefs(container=None, **members):
    return [r for r in all_reliefs() if (not container or r["container"]["id"] == container.id) and not r["for_node"]
            and all(r[key] == value for key, value in members.items())]


def share(container):
    run = subprocess.run(["oomlet", "pressure", container.id, "-o", "json"], capture_output=True, text=True)
    return (json.loads(run.stdout or "null") or {}).get("permille") or 0


def thrashing(name, relief, shape={}, more="", limit="{full: 12%, over: 4s, for: 10s, cooldown: 60s}"):
    """A container whose reader shares 36 MiB with 24 MiB of files in a tmpfs of its own; as root of it, this machine's."""
    policy = f"{{victim: largest-rss, pressure: {limit}, relief: {relief}{more}}}"
    container = Container(top, name, policy, group=0)
    # In the cgroup before it writes the files: they are the container's memory
    setup = f"""echo 0 >{container.cgroup.dir}/cgroup.procs
        mount -t tmpfs own /relief && mkdir -p /relief/sub/deep && ln -s /precious /relief/out && ln -s sub /relief/alias
        for name in a sub/b sub/deep/c; do head -c 8388608 /dev/zero >/relief/$name; sleep 0.05; done
        exec "$@" """
    container.start("reader", anon=4, within=["unshare", "--mount", "--propagation", "private", "sh", "-ec", setup, "sh"], **shape)
    container.start("small", anon=1, within=["nsenter", "--target", str(container.processes[0].pid), "--mount"])
    container.cgroup.set("memory.max", 38 * MIB)
    container.attach()
    return container


def thrash(container, data):
    # Of the file as it is cached for others nothing would have to be read
    write("/proc/sys/vm/drop_caches", "1")
    container.processes[0].order(f"thrash 20 {data}")


def files(container):
    """What is left in its tmpfs."""
    root = f"/proc/{container.processes[0].pid}/root/relief"
    return sorted(os.path.relpath(os.path.join(d, f), root) for d, _, names in os.walk(root) for f in names)


os.makedirs("/etc/oomlet")
# The node's pressure is never an OOM here, but its relief begins at once
write("/etc/oomlet/config.yaml", """
system:
  pressure: {some: 100%, over: 10s, for: 30m, available: 100%}
  relief: [{stage: reclaim, at: 1%, amount: 1Mi}]
""")
subprocess.run(["mount", "-t", "ext4", "-o", "ro,noload", "/dev/vda", "/mnt"], check=True)
for directory in ("/relief", "/precious"):
    os.makedirs(directory)
# A tmpfs of the node's, which containers see here
subprocess.run(["mount", "-t", "tmpfs", "precious", "/precious"], check=True)
write("/precious/x.tmp", "x" * 10000), write("/etc/x.tmp", "x")
unit = read(HERE + "/../../manifests/oomlet-agent.service")
capabilities = next(line for line in unit.splitlines() if line.startswith("CapabilityBoundingSet=")).partition("=")[2]
agent = Agent(["setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all"] + ["+" + c[4:].lower() for c in capabilities.split()])])
top = Cgroup(TOP)
top.enable()

# --- delete: what it takes for the reader's files to fit ---------------------------------------
container = thrashing("delete", "[{stage: delete, at: 5%, amount: 12Mi, files: [/relief/**, '/precious/*', '/etc/x.tmp', /no/x]}]")
before = files(container)
thrash(container, DATA[0])
record = (until(60, lambda: reliefs(container)) or [{}])[0]
got = [record.get(key) for key in ("stage", "outcome", "files")]
same("delete: the oldest files, until enough is free", (got, files(container)), (["delete", "done", 2], ["sub/deep/c"]))
check("  as many bytes as they had", record.get("freed_bytes") == 16 * MIB, record)
same("  there were three", before, ["a", "sub/b", "sub/deep/c"])
check("  the stalls end", until(60, lambda: share(container) < 50), share(container))
same("  nobody dies", (container.alive(), container.cgroup.event("oom_kill")), ({"small", "reader"}, 0))
same("  the node's own files are there, also those that a link leads to", sorted(os.listdir("/precious")) + [os.path.exists("/etc/x.tmp")],
     ["x.tmp", True])
container.remove()

outside = thrashing("outside", "[{stage: delete, at: 5%, files: ['/precious/*', '/relief/out/*', '/relief/alias/*', '/etc/x.tmp']}]")
thrash(outside, DATA[0])
record = (until(60, lambda: reliefs(outside)) or [{}])[0]
same("delete of what is not the container's: refused", (record.get("outcome"), record.get("files"), os.listdir("/precious")), ("failed", 0, ["x.tmp"]))
check("  and why", all(text in record.get("message", "") for text in (
    "/etc of the container is not in a tmpfs", "/precious of the container is the node's /precious", "/relief/out of the container: ")),
    record.get("message"))
same("  no link is followed, wherever it leads", (all(f"a symbolic link is on the way to /relief/{name} of" in record.get("message", "")
     for name in ("out", "alias")), files(outside)), (True, ["a", "sub/b", "sub/deep/c"]))
outside.remove()

# --- the control without relief, one that is told, one that does not listen ---------------------------
def creeps(container):
    """Its reader wants more than memory.high leaves it, and there is nothing to reclaim."""
    container.cgroup.set("memory.high", int(container.cgroup.get("memory.current")) + MIB)
    container.processes[0].order("grow 60")


soon = "{full: 15%, over: 4s, for: 6s}"
control = thrashing("control", "[]", limit=soon)
told = thrashing("told", "[{stage: reclaim, at: 5%, amount: 64Ki}, {stage: signal, at: 5%, to: victim, grace: 5s}]", limit=soon)
deaf = thrashing("deaf", "[{stage: signal, at: 5%, grace: 2m}]", dict(ignore=int(signal.SIGTERM)), limit=soon)
shown = status()
same("status shows the stages, the node's as well",
     ({c["name"]: [stage.split(" at ")[0] for stage in c["relief"]] for c in shown["attached"]}, shown["service"]["system_relief"]),
     ({"control": [], "told": ["reclaim 64Ki", "SIGTERM to victim"], "deaf": ["SIGTERM to victim"]}, ["reclaim 1Mi at 1% within 5s"]))
for container in (control, told, deaf):
    creeps(container)
until(90, lambda: not any("reader" in container.alive() for container in (control, told, deaf)))
same("the control: killed", (control.alive(), control.cgroup.event("oom_kill"), reliefs(control)), ({"small"}, 1, []))
until(10, lambda: reliefs(told, stage="signal"))
same("two stages, in their order", [(r["number"], r["stage"]) for r in reliefs(told)], [(1, "reclaim"), (2, "signal")])
second = (reliefs(told, stage="signal") or [{}])[0]
same("  the one that would have died has ended by a signal", (second.get("outcome"), second.get("process"), told.processes[0].popen.poll()),
     ("done", {"pid": told.processes[0].pid, "comm": "reader"}, -signal.SIGTERM))
same("  which is no OOM", (told.alive(), told.cgroup.event("oom_kill")), ({"small"}, 0))
same("a stage that would last for two minutes: killed all the same", (deaf.alive(), deaf.cgroup.event("oom_kill")), ({"small"}, 1))
kill = (until(10, lambda: [r for r in records() if r["container"]["name"] == "deaf"]) or [{}])[0]
check("  as early as without", kill and 6 <= kill["pressure"]["held_ns"] / 1e9 < 6 + TICK, kill)
told_so = (until(20, lambda: reliefs(deaf)) or [{}])[0]
same("  the end of a process that was told is seen, whoever ended it", (told_so.get("outcome"), told_so.get("stage")), ("done", "signal"))
check("  it was told before", kill and told_so and told_so["time"] < kill["time"], (told_so.get("time"), kill.get("time")))
for container in (control, told, deaf):
    container.remove()

# --- dry run -----------------------------------------------------------------------------------------
dry = thrashing("dry", "[{stage: delete, at: 5%, files: [/relief/**]}, {stage: signal, at: 5%}]", more=", dry-run: true")
thrash(dry, DATA[0])
until(60, lambda: len(reliefs(dry)) > 1)
same("dry run: what would have been done", [(r["stage"], r["outcome"], r["freed_bytes"]) for r in reliefs(dry)][:2],
     [("delete", "dry-run", 0), ("signal", "dry-run", 0)])
same("  and nothing is", (files(dry), dry.alive()), (["a", "sub/b", "sub/deep/c"], {"small", "reader"}))
dry.remove()

# --- the node, and what is shown ----------------------------------------------------------------------
ofnode = [r for r in all_reliefs() if r["for_node"]]
check("the node's relief: reclaims from who has most of its memory", ofnode and ofnode[0]["stage"] == "reclaim" and
      ofnode[0]["container"]["cgroup"].startswith(TOP), ofnode[:1])
run = subprocess.run(["oomlet", "relief"], capture_output=True, text=True)
check("oomlet relief shows them", run.stdout.startswith("AGE") and len(run.stdout.splitlines()) > 6, run.stdout + run.stderr)
run = subprocess.run(["oomlet", "relief", "-n", "1", "-o", "json"], capture_output=True, text=True)
same("the last as JSON", run.stdout, read(RELIEF).splitlines()[-1] + "\n")
recipe = subprocess.run([HERE + "/../Recipes/blocks.py", "docs/relief.md", "jq"], capture_output=True, text=True).stdout
freed = [f'{r["container"]["name"]} {r["freed_bytes"]}' for r in all_reliefs() if r["stage"] == "delete"]
same("the recipe of docs/relief.md: what each deletion freed", subprocess.run(["bash", "-c", recipe], capture_output=True, text=True).stdout,
     "".join(line + "\n" for line in freed))
check("each is in the log", read("/tmp/agent.log").count("; relief ") == len(read(RELIEF).splitlines()), read("/tmp/agent.log")[-2000:])
metrics = subprocess.run(["curl", "-sS", "http://127.0.0.1:9644/metrics"], capture_output=True, text=True).stdout
check("and counted", 'oomlet_relief_total{stage="delete",outcome="failed"} 1' in metrics and
      f'oomlet_relief_freed_bytes_total{{stage="delete"}} {16 * MIB}' in metrics, [l for l in metrics.splitlines() if "relief" in l])
check("no system call of the agent was refused", "refused" not in read("/tmp/agent.log"), read("/tmp/agent.log"))
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(34)
