#!/usr/bin/python3
# The agent as a service: its rights, its socket, reloads, others on the node, its death.
# needs bpf-oom: it removes the link of the root cgroup, and has a stranger attach policies of the kernel's
# vm: --timeout 600
# core
# takes 50
import shutil
import socket

from oomtree import *

TOP = "/oomlet-test"
CONFIG, SOCKET = "/etc/oomlet/config.yaml", "/run/oomlet/agent.sock"
GROUP, STRANGER = 4242, 65534


class Service:
    """An agent with a log of its own."""
    count = 0

    def __init__(self, program="oomlet", prefix=()):
        Service.count += 1
        self.path = f"/tmp/agent-{Service.count}.log"
        self.log = open(self.path, "w")
        self.popen = subprocess.Popen([*prefix, program, "agent"], stderr=self.log)

    def running(self):
        assert until(20, lambda: "is running" in read(self.path)), read(self.path)
        return self

    def says(self, text, seconds=10):
        return bool(until(seconds, lambda: text in read(self.path)))

    def end(self, how=signal.SIGTERM):
        self.popen.send_signal(how)
        return self.popen.wait()

    def status(self):
        return dict(line.split(":", 1) for line in read(f"/proc/{self.popen.pid}/status").splitlines())


def order():
    """By what the kernel compares containers at slices and the system."""
    out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", LINKS + "/maps/state"], capture_output=True, text=True).stdout
    value = json.loads(out)[0]["value"]
    return [key for key in (int(byte, 16) for byte in value[-8:]) if key != 255]


PRIORITY, QOS, OVER_REQUEST, USAGE, YOUNGEST = range(5)


def config(text):
    write(CONFIG, text)


def ask(request, wait=True):
    """What the agent answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(SOCKET)
        s.sendall(request)
        answer = b""
        while wait and (chunk := s.recv(65536)):
            answer += chunk
        return answer.decode()


shutil.rmtree("/etc/oomlet", ignore_errors=True)
with open("/etc/group", "a") as f:
    f.write(f"oomlet:x:{GROUP}:\n")
top = Cgroup(TOP)
top.enable()

print("== no agent", flush=True)
same("status says that there is none", (oomlet("status")[0], status()["agent"].split(":")[0]), (0, "not running"))
same("reload: exit 7", oomlet("reload")[::2], (7, "oomlet: no agent is running\n"))
same("doctor warns of it, and fails of nothing", (oomlet("doctor")[0], findings()["agent"][0][0]), (0, "warn"))

print("== rights", flush=True)
os.makedirs("/etc/oomlet")
config("system: {order: [usage]}\n")
agent = Service().running()
facts = agent.status()
KEPT = f"{1 << 1 | 1 << 34 | 1 << 38 | 1 << 39:016x}"  # CAP_DAC_OVERRIDE, CAP_SYSLOG, CAP_PERFMON, CAP_BPF
same("its capabilities are the documented ones, and it can gain none",
     [facts[key].strip() for key in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs")], [KEPT] * 3 + ["0" * 16] * 2 + ["1"])
same("a filter of system calls is in force", facts["Seccomp"].strip(), "2")
same("its oom_score_adj", read(f"/proc/{agent.popen.pid}/oom_score_adj"), "-999\n")
check("its memory is locked, 20 MiB at most", 0 < int(facts["VmLck"].split()[0]) and int(facts["VmRSS"].split()[0]) <= 20480, facts["VmRSS"])
print(f"      resident {facts['VmRSS'].strip()}, at most {facts['VmHWM'].strip()}")
mode = lambda path: (oct(os.stat(path).st_mode & 0o7777), os.stat(path).st_uid, os.stat(path).st_gid)
same("its socket is root's and the group's", mode(SOCKET), ("0o660", 0, GROUP))
same("pins are root's alone", [mode(p) for p in ("/sys/fs/bpf/oomlet", LINKS)], [("0o700", 0, 0)] * 2)
same("doctor finds it", (oomlet("doctor")[0], findings()["agent"][0][0], findings()["psi"][0][0]), (0, "ok", "ok"))
second = subprocess.run(["oomlet", "agent"], stderr=subprocess.PIPE, text=True)
same("a second agent ends at once", (second.returncode, second.stderr), (1, "oomlet: another agent is running on this node\n"))
same("  and the first still answers", status()["agent"], "running")

print("== who may what", flush=True)
web = Container(top, "web", "largest-rss")
web.start("small", anon=10), web.start("large", anon=20)
web.attach()
code, out, error = oomlet("status", user=STRANGER, group=STRANGER)
same("a stranger's status: exit 6, nothing claimed, and who may", (code, out, "root may" in error), (6, "", True))
for command in ["kills"], ["reload"], ["cleanup"], ["explain", "web"]:
    code, out, error = oomlet(*command, user=STRANGER, group=STRANGER)
    same(f"a stranger's {command[0]}: exit 6, one line", (code, out, error.count("\n")), (6, "", 1))
reach = subprocess.run(["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups", "sh", "-c",
                        f"ls /sys/fs/bpf/oomlet || ls {LINKS} || cat {JOURNAL} || bpftool link show pinned {LINKS}/system"],
                       capture_output=True, text=True)
same("pins and journal are out of a stranger's reach", (reach.returncode != 0, reach.stdout), (True, ""))
code, out, error = oomlet("status", user=STRANGER, group=GROUP)
same("the group's status: what the agent says, and what is not shown", (code, "Config:" in out, "web" in out, "not shown" in error),
     (0, True, False, True))
same("the group may not reload: exit 6", oomlet("reload", user=STRANGER, group=GROUP)[0], 6)
code, out, error = oomlet("doctor", user=STRANGER, group=STRANGER)
same("a stranger's doctor: exit 1, says whose it is", (code, "root" in out), (1, True))

print("== requests", flush=True)
check("status", json.loads(ask(b'{"method":"status"}\n'))["result"]["version"])
for request, hint in [(b"GET / HTTP/1.1\n", "expected"), (b'{"method":"staus"}\n', 'did you mean \\"status\\"'), (b"{}\n", "expected"),
                      (b'{"method":"status","x":1}\n', "unknown key"), (b"\xff\x00\n", "expected"), (b"[" * 2000 + b"\n", "expected")]:
    check(f"refused: {request[:24]}", '"error"' in (answer := ask(request)) and hint in answer, answer)
try:
    answer = ask(b"x" * 100000)
except OSError as e:  # It may close while we write
    answer = str(e)
check("a request without end is refused", "4096" in answer or "eset" in answer or "roken" in answer, answer)
idle = []
for i in range(40):
    idle.append(socket.socket(socket.AF_UNIX))
    idle[-1].connect(SOCKET)
time.sleep(0.2)
held = sum(fd.startswith("socket:") for fd in (os.readlink(f"/proc/{agent.popen.pid}/fd/{n}") for n in os.listdir(f"/proc/{agent.popen.pid}/fd")))
check("of those who say nothing a few are let in", held <= 6, held)
same("  and out again after 2 s", bool(until(5, lambda: status()["agent"] == "running")), True)
for s in idle:
    s.close()

print("== reload", flush=True)
same("the order at start is the configuration's", order(), [USAGE])
config("system: {order: [youngest, usage]}\nannotations: {kill-pod: false}\n")
check("a file written in place is loaded", until(5, lambda: order() == [YOUNGEST, USAGE]), order())
config("system:\n  order: [yuongest]\n")
check("a broken one is not, and the log says where", agent.says('line 2, column 11: system.order: "yuongest"'))
same("  what was loaded stays", order(), [YOUNGEST, USAGE])
service = status()["service"]["config"]
same("  status says so", (service["valid"], "line 2, column 11" in service["error"], "line 2, column 11" in oomlet("status")[1]),
     (False, True, True))
code, out, error = oomlet("reload")
same("  reload too: exit 3", (code, out, "line 2, column 11" in error), (3, "", True))
same("  doctor too: exit 1", (oomlet("doctor")[0], findings()["config"][0][0]), (1, "fail"))
late = Container(top, "late", "{victim: youngest, kill: pod}")
late.start("one", anon=1)
code, error = late.hook()
check("  a hook says so, and goes by what was loaded", code == 0 and "line 2, column 11" in error and "capped to container" in error, error)
late.remove()
write("/etc/oomlet/new", "system: {order: [qos]}\n")
os.rename("/etc/oomlet/new", CONFIG)
check("a file that takes its place by rename is loaded", until(5, lambda: order() == [QOS]), order())
same("  and the error is over", (status()["service"]["config"]["error"], status()["service"]["degraded"]), (None, []))
os.remove(CONFIG)
os.rmdir("/etc/oomlet")
check("no file, no directory: the default", until(5, lambda: order() == [PRIORITY, QOS, OVER_REQUEST, USAGE]), order())


def mounted(version, text):
    """As the kubelet writes a ConfigMap."""
    os.makedirs(f"/etc/oomlet/..{version}", exist_ok=True)
    write(f"/etc/oomlet/..{version}/config.yaml", text)
    os.symlink(f"..{version}", "/etc/oomlet/..data_tmp")
    os.rename("/etc/oomlet/..data_tmp", "/etc/oomlet/..data")
    if not os.path.islink(CONFIG):
        os.symlink("..data/config.yaml", CONFIG)


mounted("2026_1", "system: {order: [usage]}\n")
check("a ConfigMap in a new directory is loaded", until(5, lambda: order() == [USAGE]), order())
mounted("2026_2", "system: {order: [youngest]}\n")
check("  and its next version, by the swap of ..data", until(5, lambda: order() == [YOUNGEST]), order())
before = status()["service"]["config"]["successes"]
agent.popen.send_signal(signal.SIGHUP)
check("SIGHUP", until(5, lambda: status()["service"]["config"]["successes"] == before + 1) and agent.says("SIGHUP"))
same("oomlet reload", oomlet("reload"), (0, "configuration loaded\n", ""))
os.makedirs("/etc/oomlet/policies")
shutil.copy(HERE + "/.out/growth.bpf.o", "/etc/oomlet/policies/growth.bpf.o")
check("a policy that appears is loaded", until(20, lambda: "growth" in status()["policies"]), status())
shutil.copy(HERE + "/.out/broken.bpf.o", "/etc/oomlet/policies/broken.bpf.o")
check("one that is broken is named", until(20, lambda: any(d["reason"] == "custom-policy" and "broken.bpf.o" in d["message"]
                                                            for d in status()["service"]["degraded"])), status())
os.remove("/etc/oomlet/policies/broken.bpf.o")
check("  until it is gone", until(10, lambda: not status()["service"]["degraded"]), status())

print("== its death", flush=True)
known = len(records())
agent.end(signal.SIGKILL)
same("a dead agent's socket is nobody's", (os.path.exists(SOCKET), status()["agent"].split(":")[0], oomlet("reload")[0]), (True, "not running", 7))
same("policies decide without it", deaths([web], lambda: run_out(web.cgroup, web.processes[0])), [("web", "large")])
web.cgroup.set("memory.max", "max")
shutil.copy(OOMLET, "/tmp/oomlet-new")
agent = Service("/tmp/oomlet-new").running()
check("another binary adopts", agent.says("adopted 1 container"))
same("  and has the record, once", (until(5, lambda: [r["victim"]["comm"] for r in records()[known:]]), status()["agent"]), (["large"], "running"))
web.start("huge", anon=40)
killer = subprocess.Popen(["sh", "-c", f"sleep 0.02; kill -9 {agent.popen.pid}"])
same("killed in the middle of an OOM: the same victim", deaths([web], lambda: run_out(web.cgroup, web.processes[0])), [("web", "huge")])
killer.wait(), agent.popen.wait()
web.cgroup.set("memory.max", "max")
agent = Service().running()
same("  and one record", bool(until(5, lambda: [r["victim"]["comm"] for r in records()[known:]] == ["large", "huge"])), True)
os.unlink(LINKS + "/system")
check("its link to the root is made again if somebody takes it", until(15, lambda: os.path.exists(LINKS + "/system")))
os.chown(web.cgroup.dir + "/memory.oom.group", STRANGER, STRANGER)
web.cgroup.set("memory.oom.group", 1)
check("a file of memory.oom.group that a container's user owns is set again, too", until(5, lambda: web.cgroup.get("memory.oom.group") == "0"))
ticks = lambda: sum(map(int, read(f"/proc/{agent.popen.pid}/stat").rpartition(")")[2].split()[11:13]))
repairs = lambda: read(agent.path).count("memory.oom.group set again")
before, known, end = ticks(), repairs(), time.monotonic() + 8
while time.monotonic() < end:
    web.cgroup.set("memory.oom.group", 1)
used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 8
check("who writes it in a loop takes a tenth of the agent's time at most, and a line a second", used < 0.1 and repairs() - known <= 8, (used, repairs() - known))
check("  and it is set again in the end", until(20, lambda: web.cgroup.get("memory.oom.group") == "0"))
lost = Container(top, "lost", "youngest")
lost.start("one", anon=1)
lost.attach()
number = lost.cgroup.id
lost.cgroup.set("cgroup.kill", 1)
lost.processes[0].end()
lost.cgroup.remove()
check("what is left of a container without poststop is removed",
      until(25, lambda: not os.path.exists(f"{LINKS}/links/{number}") and not os.path.exists(f"/run/oomlet/containers/{lost.id}@{number}.json")))

print("== another version", flush=True)
agent.end()
os.makedirs("/sys/fs/bpf/oomlet/v99/links")
stale = Container(top, "stale", "youngest")
stale.start("one", anon=1)
stale.attach()
os.rename(f"{LINKS}/links/{stale.cgroup.id}", "/sys/fs/bpf/oomlet/v99/links/stale")
agent = Service().running()
check("is named", agent.says("(v99)") and "v99" in oomlet("status")[1])
code, out, error = oomlet("cleanup")
same("is not removed while a policy of it is in force: exit 5", (code, "v99" in error, os.path.exists("/sys/fs/bpf/oomlet/v99")), (5, True, True))
stale.remove()
same("is removed after", (oomlet("cleanup")[0], os.path.exists("/sys/fs/bpf/oomlet/v99")), (0, False))
same("no system call was refused", [line for n in range(Service.count) for line in read(f"/tmp/agent-{n + 1}.log").splitlines() if "seccomp" in line], [])
same("the agent ends cleanly, and its socket with it", (agent.end(), os.path.exists(SOCKET)), (0, False))

print("== others on the node", flush=True)
oomd = Cgroup("/system.slice")
oomd.enable()
oomd = Cgroup("/system.slice/systemd-oomd.service")
fake = Process(oomd.dir, "systemd-oomd", anon=1).ready()
killer = Process(MOUNT, "earlyoom", anon=1).ready()
write("/proc/sys/vm/panic_on_oom", 1)
theirs = Cgroup(TOP + "/theirs")
shutil.rmtree("/sys/fs/bpf/oomlet")
stranger = subprocess.Popen([HERE + "/.out/stranger", MOUNT, theirs.dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
same("a stranger's policy is on the root and on a cgroup", stranger.stdout.readline(), "ready\n")
agent = Service().running()
reasons = degraded()
same("the agent starts, and names what is there", {reason: word in reasons.get(reason, "") for reason, word in {
    "system-policy": "stranger", "systemd-oomd": "systemctl", "oom-killer": "earlyoom kills", "oom-sysctl": "vm.panic_on_oom is 1"}.items()},
     dict.fromkeys(reasons, True))
same("status has them", sorted((f["cgroup"], f["policy"]) for f in status()["foreign"]), [("/", "stranger"), (theirs.path, "stranger")])
found = findings()
same("doctor warns, and does not fail",
     (oomlet("doctor")[0], [[result for result, _ in found[check]] for check in ("foreign-policy", "systemd-oomd", "oom-killers", "sysctl")]),
     (0, [["warn"] * 2, ["warn"], ["warn"], ["warn"]]))
mine = Container(top, "mine", "largest-rss")
mine.start("small", anon=10), mine.start("large", anon=20)
mine.attach()
check("a hook has it in its log", all(word in read("/run/oomlet/hook.log") for word in ("earlyoom kills", "systemd-oomd runs", "vm.panic_on_oom is 1")),
      read("/run/oomlet/hook.log"))
same("limits work", deaths([mine], lambda: run_out(mine.cgroup, mine.processes[0])), [("mine", "large")])
mine.cgroup.set("memory.max", "max")
theirs.enable()
guest = Container(theirs, "guest", "largest-rss")
guest.start("one", anon=1)
guest.attach()
links = subprocess.run([HERE + "/.out/links"], capture_output=True, text=True).stdout.split("\n")
same("nothing foreign is replaced", sorted(int(line.split()[1]) for line in links if "stranger" in line),
     sorted([os.stat(MOUNT).st_ino, theirs.id]))
guest.remove()
stranger.stdin.close()
stranger.wait()
fake.end(), killer.end()
write("/proc/sys/vm/panic_on_oom", 0)
if os.environ.get("VM_BASE") == "successor":
    # Where a policy is added beside another one without a word, it takes rights to see that there is none
    doubts = lambda: [d["reason"] for d in status()["service"]["degraded"]]
    check("when they are gone, the agent says that it may not look", until(20, lambda: doubts() == ["system-policy"]), doubts())
    agent.end()
    agent = Service().running()
else:
    check("when they are gone, so are the agent's doubts", until(20, lambda: not status()["service"]["degraded"]), status())
same("it decides for the system", (status()["service"]["degraded"], os.path.exists(LINKS + "/system")), ([], True))
check_no_pressure(top, f"/cgroup.pressure; limits work", lambda cgroup: cgroup.set("cgroup.pressure", 0))
mine.remove()
web.remove()
theirs.remove()
oomd.remove()
same("no system call was refused", [line for line in read(agent.path).splitlines() if "seccomp" in line], [])
same("the agent ends cleanly", agent.end(), 0)
os.rmdir(MOUNT + "/system.slice")
top.remove()
check_clean(TOP)
finish(87)
