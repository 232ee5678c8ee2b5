#!/usr/bin/python3
# Records are kills, none twice, though the agent is killed at any moment, in the middle of a rotation, too; and a
# thousand OOMs leave nothing behind.
# vm: --memory 2048 --timeout 1500
# takes 75
import random

from oomtree import *

TOP = "/oomlet-test"
ROUNDS = int(os.environ.get("ROUNDS", "200"))
os.makedirs("/etc/oomlet", exist_ok=True)
# A new file every 40 records or so
write("/etc/oomlet/config.yaml", "journal: {max-size: 64Ki, max-files: 1000}\nmetrics: {address: unix:/run/oomlet/metrics.sock}\n")


def all_records():
    out = subprocess.run(["oomlet", "kills", "-o", "json"], capture_output=True, text=True).stdout
    return [json.loads(line)["id"] for line in out.splitlines()]


def metric(series):
    text = subprocess.run(["curl", "-sS", "--unix-socket", "/run/oomlet/metrics.sock", "http://x/metrics"], capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line.rpartition(" ")[0] == series:
            return float(line.rpartition(" ")[2])
    return None


def drained():
    """No record waits any more. Asking for all of them takes longer."""
    assert until(10, lambda: status()["records_waiting"] == 0)


def churn(container, *count):
    return subprocess.Popen([HERE + "/.out/churn", container.cgroup.dir, "12", *map(str, count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def made(name):
    container = Container(top, name, "largest-rss")
    container.start("keeper")
    container.attach()
    # Little room, for a page takes its time; enough for one that runs out of memory to be the largest
    container.cgroup.set("memory.max", int(container.cgroup.get("memory.current")) + 3 * MIB // 2)
    return container


top = Cgroup(TOP)
top.enable()
agent = Agent()
container = made("loop")
follower = subprocess.Popen(["oomlet", "kills", "--follow", "-o", "json"], stdout=open("/tmp/followed", "w"))
loop = churn(container)
random.seed(int(os.environ.get("SEED", "1")))
start = time.monotonic()
agent.stop(signal.SIGKILL)
for i in range(ROUNDS):
    popen = subprocess.Popen(["oomlet", "agent"], stderr=agent.log)
    time.sleep(random.uniform(0, 0.35))
    popen.kill()
    popen.wait()
killed = int(loop.communicate()[0])
print(f"      {ROUNDS} agents were killed in {time.monotonic() - start:.0f} s, {killed} processes ran out of memory")
counted = container.cgroup.event("oom_kill")
same("each process that ran out of memory is a kill by the kernel's counters", counted, killed)
agent = Agent()
drained()
ids = all_records()
same("records, and those that found no room, are the kills", len(ids) + status()["records_lost"], counted)
same("  none is there twice", len(set(ids)), len(ids))
rotated = len([name for name in os.listdir("/var/lib/oomlet") if name.startswith("kills.jsonl.") and name[12:].isdigit()])
check("  in many files", rotated >= len(ids) // 80, rotated)
same("  the counter says the same", metric('oomlet_kills_total{policy="largest-rss",trigger="limit",level="container",outcome="killed"}'), len(ids))
until(5, lambda: read("/tmp/followed").count("\n") >= len(ids))
same("  who follows has seen each once, in the same order", [json.loads(line)["id"] for line in read("/tmp/followed").splitlines()], ids)
follower.kill()
follower.wait()
container.remove()


def footprint():
    """What may not grow: the agent's memory in KiB and descriptors; pins; the kernel's BPF objects."""
    pid = agent.popen.pid
    rss = int(read(f"/proc/{pid}/status").split("VmRSS:")[1].split()[0])
    pins = sum(len(files) for _, _, files in os.walk("/sys/fs/bpf"))
    bpf = [len(json.loads(subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, text=True).stdout)) for kind in ("map", "prog", "link")]
    return rss, (len(os.listdir(f"/proc/{pid}/fd")), pins, bpf)


def thousand(count):
    """Among ten containers that come and go."""
    for i in range(10):
        container = made(f"c{i}")
        churn(container, count // 10).communicate()
        container.remove()


thousand(200)
drained()
before = footprint()
start = time.monotonic()
thousand(1000)
drained()
same("1,000 OOMs more are 1,000 records more", len(all_records()), len(ids) + 1200)
after = footprint()
print(f"      1,000 OOMs took {time.monotonic() - start:.0f} s; the agent has {before[0]} KiB before and {after[0]} KiB after")
check("  its memory has not grown by more than 256 KiB", after[0] - before[0] <= 256, (before[0], after[0]))
same("  nor its descriptors, pins, maps, programs and links", after[1], before[1])
same("the agent ends cleanly", agent.stop(), 0)
top.remove()
check_clean(TOP)
finish(16)
