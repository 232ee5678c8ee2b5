#!/usr/bin/python3
# What the agent tells Prometheus: kills, each once, also of containers that are gone, through restarts of the agent, with
# a ring buffer that is too small, and with a journal that can't be written.
# vm: --memory 3072 --timeout 900
# takes 55
import socket
import urllib.error
import urllib.parse
import urllib.request

from oomtree import *

TOP = "/oomlet-test"
ADDRESS = "http://127.0.0.1:9644"
LABELS = 'policy="largest-rss",trigger="limit",level="container",outcome="killed"'
os.makedirs("/etc/oomlet", exist_ok=True)
write("/etc/oomlet/config.yaml", "kernel: {ring-size: 128Ki}\njournal: {max-size: 64Ki, max-files: 2}\n")


def get(path, address=ADDRESS):
    try:
        with urllib.request.urlopen(address + path, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metric(series):
    for line in get("/metrics")[1].splitlines():
        if line.rpartition(" ")[0] == series:
            return float(line.rpartition(" ")[2])
    return None


def kills():
    return metric("oomlet_kills_total{" + LABELS + "}")


def query(text):
    status, answer = get("/api/v1/query?" + urllib.parse.urlencode({"query": text}), "http://127.0.0.1:9090")
    return [float(result["value"][1]) for result in json.loads(answer)["data"]["result"]] if status == 200 else None


def all_records():
    out = subprocess.run(["oomlet", "kills", "-o", "json"], capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def die(container):
    """Its one process runs out of memory."""
    run_out(container.cgroup, container.processes[0])
    container.processes[0].popen.wait(30)


top = Cgroup(TOP)
top.enable()
agent = Agent()
write("/tmp/prometheus.yaml", "scrape_configs: [{job_name: oomlet, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:9644']}]}]\n")
prometheus = subprocess.Popen(
    ["prometheus", "--config.file=/tmp/prometheus.yaml", "--storage.tsdb.path=/tmp/prometheus", "--web.listen-address=127.0.0.1:9090"],
    stderr=open("/tmp/prometheus.log", "w"))

same("the agent is ready", get("/readyz"), (200, "ok   policies loaded\nok   records taken from the kernel\nok   journal writable\n"))
same("nothing has been killed: a 0, not nothing", kills(), 0)
check("the ring has the size that the configuration says", metric("oomlet_kill_records_ring_bytes") == 128 << 10)

# A crash loop: a new container each time, dead in less than a second
longest = 0
for i in range(20):
    if i == 10:
        agent.stop()
        agent = Agent()
    container = Container(top, f"crash{i}", "largest-rss")
    container.start("app", anon=2)
    container.attach()
    start = time.monotonic()
    die(container)
    longest = max(longest, time.monotonic() - start)
    container.remove()
check("each was killed in less than a second", longest < 1, longest)
check("20 kills are counted in one series, through a restart of the agent", until(5, lambda: kills() == 20), kills())
same("also by its histogram", metric("oomlet_decision_seconds_count"), 20)
same("no container, pod or namespace is a label", [w for w in ("crash", "oomlet-test") if w in get("/metrics")[1]], [])
run = subprocess.run(["promtool", "check", "metrics"], input=get("/metrics")[1], capture_output=True, text=True)
same("promtool finds nothing to complain of", (run.returncode, run.stdout + run.stderr), (0, ""))
same("Prometheus has them", until(60, lambda: query("sum(oomlet_kills_total)") == [20] and [20]), [20])
same("  one series for all 20", query("count(oomlet_kills_total > 0)"), [1])
check("  and how long decisions take", 0 < (query("histogram_quantile(0.9, oomlet_decision_seconds_bucket)") or [0])[0] < 1)
prometheus.terminate()
prometheus.wait()

# What an operator asks for
shown = lambda *args: subprocess.run(["oomlet", "kills", *args], capture_output=True, text=True)
same("kills: of one container, by name", [json.loads(line)["container"]["name"] for line in shown("--container", "crash3", "-o", "json").stdout.splitlines()], ["crash3"])
same("  the last ones", [line.split()[1] for line in shown("-n", "2").stdout.splitlines()[1:]], ["crash18", "crash19"])
same("  of the last hour, of the last second", [len(shown("--since", since, "-o", "json").stdout.splitlines()) for since in ("1h", "1ms")], [20, 0])
run = shown("--container", "crsh3")
same("  of none, with the nearest", (run.returncode, run.stderr), (0, 'No kills found; did you mean "crash3"?\n'))

# The agent away, more kills than the ring has room for
containers = [Container(top, f"burst{i}", "largest-rss") for i in range(100)]
for container in containers:
    container.begin("app", anon=1)
all_ready(containers)
at_once([container.attach for container in containers])
agent.stop()
subprocess.run(["dmesg", "-C"])
for container in containers:
    container.cgroup.set("memory.max", int(container.cgroup.get("memory.current")) + MIB)
start = time.monotonic()
for container in containers:
    container.processes[0].order("grow 6")
for container in containers:
    container.processes[0].popen.wait(60)
print(f"      100 containers ran out of memory within {time.monotonic() - start:.1f} s")
lines = [line for line in subprocess.run(["dmesg"], capture_output=True, text=True).stdout.splitlines() if "Killed process" in line]
died = [int(line.split("Killed process ")[1].split()[0]) for line in lines]
at = [float(line.strip("[ ").split("]")[0]) for line in lines]
print(f"      by the kernel's log within {at[-1] - at[0]:.2f} s")
same("100 kills by the kernel's counters", sum(c.cgroup.event("oom_kill") for c in containers), 100)
state = status()
waiting = state["records_waiting"]
check("status: the ring is full, and the rest is lost", 40 < waiting <= 60 and state["records_lost"] == 100 - waiting, state)
known = len(all_records())
agent = Agent()
until(5, lambda: len(all_records()) == known + waiting)
got = all_records()[known:]
same("records and lost ones are 100", len(got) + metric("oomlet_kill_records_lost_total"), 100)
same("  the counter agrees", kills(), 20 + waiting)
same("  in the order in which the kernel killed", [r["victim"]["pid"] for r in got], died[:waiting])
check("  the log says so", f"{100 - waiting} records lost" in read("/tmp/agent.log"))
at_once([container.remove for container in containers])

# The journal's disk is full
agent.stop()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "/var/lib/oomlet"], check=True)
agent = Agent()
container = Container(top, "full", "largest-rss")
keeper = container.start("keeper", anon=1)
container.attach()
container.cgroup.set("memory.max", 6 * MIB)
churn = lambda count: int(subprocess.run([HERE + "/.out/churn", container.cgroup.dir, "16", str(count)], capture_output=True, text=True).stdout)
churn(1)
until(5, lambda: len(all_records()) == 1)
lost = status()["records_lost"]
subprocess.run(["dd", "if=/dev/zero", "of=/var/lib/oomlet/filler", "bs=4k", "status=none"], stderr=subprocess.DEVNULL)
same("the disk is full: OOMs are decided", churn(5), 5)
check("  the last records that still fit are whole", until(5, lambda: get("/readyz")[0] == 503))
same("  degraded", metric('oomlet_degraded{reason="journal"}'), 1)
check("  write failures are counted", metric("oomlet_journal_write_failures_total") >= 1)
check("  the log says so", "records wait in the ring buffer" in read("/tmp/agent.log"))
check("  ready says what is missing", "no   journal writable: " in get("/readyz")[1], get("/readyz")[1])
same("  healthy all the same", get("/healthz"), (200, "ok\n"))
waiting = status()["records_waiting"]
check("  records wait", 0 < waiting <= 5, waiting)
failures = lambda: metric("oomlet_journal_write_failures_total")
before = failures()
time.sleep(3)
# Once a second, and with each scrape
check("  it is tried again now and then, not all the time", 2 <= failures() - before <= 12, failures() - before)
os.remove("/var/lib/oomlet/filler")
check("there is space: what waited is written", until(10, lambda: len(all_records()) == 6 and status()["records_waiting"] == 0))
same("  ready again", (get("/readyz")[0], metric('oomlet_degraded{reason="journal"}')), (200, 0))
subprocess.run(["dd", "if=/dev/zero", "of=/var/lib/oomlet/filler", "bs=4k", "status=none"], stderr=subprocess.DEVNULL)
killed = churn(80)
until(5, lambda: status()["records_lost"] > lost)
os.remove("/var/lib/oomlet/filler")
until(10, lambda: status()["records_waiting"] == 0)
lost = status()["records_lost"] - lost
got = all_records()
same("full for longer than the ring lasts: records and lost ones are the kills", (killed, len(got) + lost), (80, 86))
check("  some are lost", lost > 0)
same("  none is there twice", len({r["id"] for r in got}), len(got))
same("  the kernel has counted the same", container.cgroup.event("oom_kill"), 86)
same("  the bystander lives", container.alive(), {"keeper"})
container.remove()

# Any user's idle connections
idle = []
for _ in range(100):
    idle.append(socket.create_connection(("127.0.0.1", 9644)))
same("a hundred idle connections: healthy, and metrics are there", (get("/healthz"), get("/metrics")[0]), ((200, "ok\n"), 200))
for s in idle:
    s.close()

# Nothing to do, once the 10 s that each of them had are over
time.sleep(11)
wakeups = lambda: sum(int(read(f"/proc/{agent.popen.pid}/task/{t}/status").split("voluntary_ctxt_switches:")[1].split()[0])
                      for t in os.listdir(f"/proc/{agent.popen.pid}/task"))
before = wakeups()
time.sleep(10)
# It looks around every 10 s
check("the agent sleeps when there is nothing to do", wakeups() - before <= 2, wakeups() - before)
rss = int(read(f"/proc/{agent.popen.pid}/status").split("VmRSS:")[1].split()[0])
print(f"      the agent has {rss / 1024:.1f} MiB resident")
same("the agent ends cleanly", agent.stop(), 0)
subprocess.run(["umount", "/var/lib/oomlet"])
top.remove()
check_clean(TOP)
finish(46)
