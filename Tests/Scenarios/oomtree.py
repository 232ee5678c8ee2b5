"""Trees of cgroups with processes of known shapes, for scenarios that need many of them.

A scenario prints a line a check, like those of lib.sh, and ends with finish(N).
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = HERE + "/.out/shape"
MOUNT = "/sys/fs/cgroup"
JOURNAL = "/var/lib/oomlet/kills.jsonl"
LINKS = "/sys/fs/bpf/oomlet/v1"
# How policies decide on this kernel: docs/kernels.md
with open("/sys/kernel/btf/vmlinux", "rb") as btf:
    TIER = "bpf-oom" if b"\0bpf_oom_ops\0" in btf.read() else "tracing"
OOMLET = shutil.which("oomlet")
MIB = 1 << 20

passed = failed = 0


def check(sentence, ok, detail=""):
    global passed, failed
    if ok:
        passed += 1
        print("ok    " + sentence, flush=True)
    else:
        failed += 1
        print("FAIL  " + sentence + (": " + str(detail) if detail != "" else ""), flush=True)
    return ok


def same(sentence, value, expected):
    return check(sentence, value == expected, f"is {value!r}, not {expected!r}")


def finish(count):
    global failed
    if passed + failed != count:
        print(f"FAIL  {passed + failed} checks were made instead of {count}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


def until(seconds, condition):
    """Asks again and again, for a fifth of the time at most: what is asked of a program takes its time."""
    end = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        value = condition()
        now = time.monotonic()
        if value or now > end:
            return value
        time.sleep(min(max(0.02, 4 * (now - asked)), end - now))


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def write(path, text):
    with open(path, "w") as f:
        f.write(str(text))


def status_of(pid):
    """The fields of /proc/PID/status, as they are there; none if it is gone."""
    return dict(line.split(":", 1) for line in read(f"/proc/{pid}/status").splitlines() if ":" in line)


class Process:
    """A process of shape.c in a cgroup. It is started, but may not have its memory before ready()."""

    def __init__(self, cgroup, name, within=(), **shape):
        self.name = name
        args = [*within, SHAPE, cgroup, name] + [f"{key}={value}" for key, value in shape.items()]
        self.popen = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.popen.pid

    def ready(self):
        assert self.popen.stdout.readline() == "ready\n", self.name
        return self

    def order(self, line):
        """Tells it, and does not wait: it may not live to answer."""
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def done(self):
        assert self.popen.stdout.readline() == "done\n", self.name

    def alive(self):
        return self.popen.poll() is None

    def end(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()

    def facts(self):
        """What the kernel's choice is made of, as /proc has it, in bytes; None: it is gone."""
        status = status_of(self.pid)
        stat = read(f"/proc/{self.pid}/stat").rpartition(")")[2].split()
        if "RssAnon" not in status or not stat:
            return None
        kib = lambda key: int(status[key].split()[0]) * 1024
        facts = {
            "pid": self.pid, "anon": kib("RssAnon"), "file": kib("RssFile"), "shmem": kib("RssShmem"), "swap": kib("VmSwap"),
            "pgtables": kib("VmPTE"), "start": int(stat[19]), "adj": int(read(f"/proc/{self.pid}/oom_score_adj")),
            "oom_score": int(read(f"/proc/{self.pid}/oom_score")),
        }
        facts["rss"] = facts["anon"] + facts["file"] + facts["shmem"]
        facts["size"] = facts["rss"] + facts["swap"] + facts["pgtables"]
        return facts


class Cgroup:
    """A directory of the hierarchy with all controllers that its parent has."""

    def __init__(self, path, made=False):
        self.path = path
        self.dir = MOUNT + path
        if not made:
            os.makedirs(self.dir)

    @classmethod
    def there(cls, path):
        """One that somebody else has made."""
        return cls(path, made=True)

    def enable(self):
        write(self.dir + "/cgroup.subtree_control", "+memory +pids")

    @property
    def id(self):
        return os.stat(self.dir).st_ino

    def set(self, file, value):
        write(f"{self.dir}/{file}", value)

    def get(self, file):
        return read(f"{self.dir}/{file}").strip()

    def event(self, name, local=True):
        lines = self.get("memory.events.local" if local else "memory.events").splitlines()
        return int(dict(line.split() for line in lines)[name])

    def remove(self):
        until(10, lambda: "populated 0" in self.get("cgroup.events"))
        if os.path.isdir(self.dir):
            os.rmdir(self.dir)


class Container:
    """A cgroup with processes, and a policy by the hook, as a runtime would call it."""

    def __init__(self, parent, name, policy=None, annotations=None, group=1):
        self.cgroup = Cgroup(f"{parent.path}/{name}")
        self.name = name
        self.id = f"{name}-{self.cgroup.id}"
        self.policy = policy
        self.annotations = {"io.kubernetes.cri.container-name": name, **(annotations or {})}
        self.processes = []
        self.cgroup.set("memory.oom.group", group)

    def start(self, name, **shape):
        return self.begin(name, **shape).ready()

    def begin(self, name, **shape):
        # Apart by more than /proc can tell
        time.sleep(0.011)
        self.processes.append(Process(self.cgroup.dir, name, **shape))
        return self.processes[-1]

    def state(self):
        annotations = dict(self.annotations)
        if self.policy is not None:
            annotations["oom.policy"] = self.policy
        return json.dumps({"ociVersion": "1.0.2", "id": self.id, "status": "creating", "pid": self.processes[0].pid,
                           "bundle": "/", "annotations": annotations})

    def hook(self, stage="createRuntime"):
        """After the first process; returns exit status and what was said."""
        run = subprocess.run(["oomlet-hook", "--stage", stage], input=self.state(), text=True, stderr=subprocess.PIPE)
        return run.returncode, run.stderr

    def attach(self):
        said = self.hook()
        assert said == (0, ""), said

    def alive(self):
        return {p.name for p in self.processes if p.alive()}

    def remove(self):
        self.cgroup.set("cgroup.kill", 1)
        for process in self.processes:
            process.end()
        self.cgroup.remove()
        subprocess.run(["oomlet-hook", "--stage", "poststop"], input=json.dumps({"id": self.id}), text=True)


def attach_crowd(top, numbers):
    """Containers of one process, which goes from one to the next: attached is the cgroup."""
    sleeper = subprocess.Popen(["sleep", "100000"])
    for n in numbers:
        path = f"{top.dir}/c{n}"
        os.mkdir(path)
        write(path + "/cgroup.procs", sleeper.pid)
        state = json.dumps({"id": f"c{n}", "status": "creating", "pid": sleeper.pid, "bundle": "/", "annotations": {"oom.policy": "largest-rss"}})
        run = subprocess.run(["oomlet-hook", "--stage", "createRuntime"], input=state, text=True, stderr=subprocess.PIPE)
        assert (run.returncode, run.stderr) == (0, ""), run
    sleeper.kill()
    sleeper.wait()


def all_ready(containers):
    for container in containers:
        for process in container.processes:
            process.ready()


def at_once(calls):
    with ThreadPoolExecutor() as pool:
        for call in [pool.submit(call) for call in calls]:
            call.result()


def run_out(cgroup, process, mib=6):
    """An OOM at a cgroup: the process grows until there is one, by less than any process has.

    What could be reclaimed instead goes first. (A limit written below the usage would do, too, but asks for the next victim in
    a tight loop: the memory of one that is exiting may be still charged when it no longer counts as dying.)
    """
    try:
        cgroup.set("memory.reclaim", 64 * MIB)
    except OSError:
        pass  # there was less
    cgroup.set("memory.max", int(cgroup.get("memory.current")) + MIB)
    process.order(f"hit {mib} {cgroup.dir}/memory.events.local")


def take_memory(leaving_mib):
    """A process that has it, and that nobody may kill."""
    available = int(read("/proc/meminfo").split("MemAvailable:")[1].split()[0]) // 1024
    return Process(MOUNT, "hog", adj=-1000, anon=max(1, available - leaving_mib)).ready()


def exhaust_memory(top):
    """An OOM of the whole system: all its memory is taken until somebody below the cgroup has died of it."""
    # This program, too, would be read from disk again and again
    assert ctypes.CDLL(None).mlockall(3) == 0
    # What any process has is to be enough
    vm = {"watermark_boost_factor": 0, "min_free_kbytes": 2048}
    was = {key: read("/proc/sys/vm/" + key) for key in vm}
    for key, value in vm.items():
        write("/proc/sys/vm/" + key, value)
    hog = take_memory(leaving_mib=30)
    with open("/tmp/exhaust.pids", "w") as file:
        file.write("".join(read(f"{dir}/cgroup.procs") for dir, _, _ in os.walk(top.dir)))
    hog.order(f"exhaust {file.name}")
    hog.popen.wait(120)
    hog.end()
    for key, value in was.items():
        write("/proc/sys/vm/" + key, value)


def living(containers):
    return {(c.name, p) for c in containers for p in c.alive()}


def deaths(containers, act, seconds=15):
    """Who of the containers' processes dies of an act: (container, process), sorted. Waits until somebody has, and until nobody
    does any more."""
    before = living(containers)
    act()
    until(seconds, lambda: living(containers) != before)
    now = living(containers)
    while True:
        time.sleep(0.15)
        then, now = now, living(containers)
        if then == now:
            return sorted(before - now)


class Journal:
    """Each record is read once, however often a scenario asks; its threads may ask at the same time."""

    def __init__(self, path):
        self.path, self.at, self.records = path, 0, []
        self.lock = threading.Lock()

    def all(self):
        """Those that are written to their end."""
        with self.lock:
            self.read_on()
            return list(self.records)

    def read_on(self):
        try:
            with open(self.path, "rb") as f:
                if os.fstat(f.fileno()).st_size < self.at:
                    self.at, self.records = 0, []
                f.seek(self.at)
                lines = f.read().split(b"\n")[:-1]
        except OSError:
            self.at, self.records = 0, []
            return
        self.at += sum(len(line) + 1 for line in lines)
        self.records += map(json.loads, lines)


records = Journal(JOURNAL).all


def status():
    """`oomlet status`, as JSON."""
    return json.loads(subprocess.run(["oomlet", "status", "-o", "json"], capture_output=True, text=True).stdout)


def oomlet(*arguments, user=0, group=0):
    """Exit status, stdout, stderr; as another user."""
    prefix = [] if user == group == 0 else ["setpriv", "--reuid", str(user), "--regid", str(group), "--clear-groups"]
    run = subprocess.run([*prefix, OOMLET, *arguments], capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def degraded():
    """Message by reason."""
    return {d["reason"]: d["message"] for d in status()["service"]["degraded"]}


def findings():
    """What oomlet doctor says, by check: (result, detail and remedy), ...."""
    found = {}
    for item in json.loads(oomlet("doctor", "-o", "json")[1])["items"]:
        found.setdefault(item["check"], []).append((item["result"], f"{item['detail']} {item['remedy']}"))
    return found


def check_no_pressure(top, why, prepare=lambda cgroup: None):
    """Five checks of a policy with pressure, where that is not measured."""
    policy = "{victim: largest-rss, pressure: {full: 10%%}%s}"
    stalls = Container(top, "stalls", policy % "")
    stalls.start("one", anon=1)
    prepare(stalls.cgroup)
    code, said = stalls.hook()
    check("a policy with pressure: the container starts, and the hook says what does not work and what to do", code == 0 and why in said, said)
    check("  doctor warns of it", [result for result, text in findings()["psi"] if why in text] == ["warn"], findings()["psi"])
    code, out, _ = oomlet("pressure", "stalls")
    check("  oomlet pressure says the same, and no figure", out.startswith("full unavailable of 10%") and why in out, out)
    code, _, error = oomlet("pressure", "stalls", "--full", "20%")
    check("  to change it is exit status 4", code == 4 and why in error, error)
    stalls.remove()
    needs = Container(top, "needs", policy % ", require: true")
    needs.start("one", anon=1)
    prepare(needs.cgroup)
    code, said = needs.hook()
    check("  with require: it does not start, exit status 4", code == 4 and why in said, (code, said))
    needs.remove()


class Agent:
    """This machine's; with AGENT=pod in the environment the DaemonSet's."""

    def __init__(self, within=()):
        self.log = open("/tmp/agent.log", "a")
        running = lambda: read("/tmp/agent.log").count("is running")
        before = running()
        self.pod = None
        if os.environ.get("AGENT") == "pod":
            from agentpod import AgentPod
            self.pod = AgentPod()
            self.popen = self.pod.start(self.log)
        else:
            self.popen = subprocess.Popen([*within, "oomlet", "agent"], stderr=self.log)
        assert until(20, lambda: running() > before), read("/tmp/agent.log")

    def stop(self, how=signal.SIGTERM):
        if self.pod:
            return self.pod.stop(how)
        self.popen.send_signal(how)
        return self.popen.wait()


def kernel_log():
    """Without a program, which could not be read from disk where memory has just run out."""
    lines = []
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                lines.append(os.read(log, 8192).decode(errors="replace"))
            except BrokenPipeError:  # overwritten meanwhile
                pass
    except BlockingIOError:
        os.close(log)
    return lines


def check_clean(top):
    """Six checks: nothing is left."""
    left = lambda path: sorted(os.listdir(path)) if os.path.isdir(path) else []
    same("no pin of a container is left", left(LINKS + "/links"), [])
    same("no pin of a pod is left", left(LINKS + "/pods"), [])
    same("no identity file is left", left("/run/oomlet/containers"), [])
    same("no cgroup is left", left(MOUNT + top) and [d for d in left(MOUNT + top) if os.path.isdir(MOUNT + top + "/" + d)], [])
    running = [p for p in os.listdir("/proc") if p.isdigit() and read(f"/proc/{p}/comm").strip() in ("oomlet", "oomlet-hook", "shape")]
    same("no process is left", running, [])
    bad = [line for line in kernel_log() if any(w in line for w in ("BUG:", "WARNING:", "Oops", "scheduling while atomic"))]
    same("the kernel has nothing to complain of", bad, [])
