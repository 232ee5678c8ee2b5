#!/usr/bin/python3
# The unit as `make install` puts it there, under Debian 13's systemd as process 1: its rights, reload, watchdog, its deaths.
# systemd
# vm: --timeout 300 --append systemd.mask=serial-getty@ttyS0.service --append systemd.mask=ldconfig.service --append systemd.mask=docker.service --append systemd.mask=docker.socket --append systemd.mask=containerd.service
# takes 60
from oomtree import *

TOP = "/oomlet-test"
ROOT = "/mnt/systemd"
UNIT = "oomlet-agent.service"
CONFIG = "/etc/oomlet/config.yaml"
records = Journal(ROOT + JOURNAL).all


def there(*command):
    """Exit status and output, in the root that process 1 has."""
    run = subprocess.run(["chroot", ROOT, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return run.returncode, run.stdout


def systemctl(*arguments):
    return there("systemctl", *arguments)


def show(*properties):
    shown = dict(line.split("=", 1) for line in systemctl("show", UNIT, "-p", ",".join(properties))[1].splitlines())
    return [shown[key] for key in properties]


def pid():
    return int(show("MainPID")[0])


def log():
    return there("journalctl", "-q", "-o", "cat", "-u", UNIT)[1]


def running(*restarts):
    """Whether the agent answers, and its unit says the same."""
    return status()["agent"] == "running" and show("ActiveState", "SubState", "NRestarts") == ["active", "running", *map(str, restarts)]


def victim(name):
    """Who of the container dies when it runs out of memory; another one like that takes its place."""
    died = deaths([web], lambda: run_out(web.cgroup, web.processes[0]))
    web.cgroup.set("memory.max", "max")
    web.start(name, anon=20)
    return died


def on_record(names):
    return until(10, lambda: [r["victim"]["comm"] for r in records()] == names)


assert until(60, lambda: systemctl("is-active", "basic.target")[0] == 0), systemctl("list-jobs")

print("== as installed", flush=True)
same("process 1 is Debian 13's systemd", (read("/proc/1/comm"), "VERSION_CODENAME=trixie" in read(ROOT + "/etc/os-release")), ("systemd\n", True))
for command in (["make", "-s", "-C", HERE + "/../..", "install", "DESTDIR=" + ROOT, "PREFIX=/usr"], ["chroot", ROOT, "systemctl", "daemon-reload"]):
    subprocess.run(command, check=True)
same("systemctl enable --now", (systemctl("enable", "--now", UNIT)[0], status()["agent"]), (0, "running"))
same("  it has said that it is ready, and is watched", show("Type", "ActiveState", "SubState", "NRestarts", "WatchdogUSec", "Result"),
     ["notify", "active", "running", "0", "1min", "success"])
check("  systemd finds nothing in the unit that it does not know", UNIT + ":" not in there("journalctl", "-q", "-o", "cat", "_PID=1")[1])
same("not degraded", degraded(), {})
facts = status_of(pid())
check("  its memory is locked, more than the 8 MiB that others have", int(facts["VmLck"].split()[0]) > 8192, facts["VmLck"])
same("  its oom_score_adj, its filter of system calls", (read(f"/proc/{pid()}/oom_score_adj"), facts["Seccomp"].strip()), ("-999\n", "2"))
code, said = there("oomlet", "doctor")
check("  doctor finds nothing that fails", code == 0, said)

print("== a container", flush=True)
top = Cgroup(TOP)
top.enable()
web = Container(top, "web", "largest-rss")
web.start("small", anon=10), web.start("first", anon=20)
web.attach()
same("its policy decides", victim("second"), [("web", "first")])
check("  on record, and in journald's", on_record(["first"]) and until(5, lambda: "first" in log()), log())

print("== reload", flush=True)
loaded = lambda: log().count("configuration loaded again: root asked for it")
same("systemctl reload", (systemctl("reload", UNIT)[0], until(10, loaded)), (0, 1))
check("  the unit is active again, the agent the same", until(10, lambda: running(0)), show("ActiveState", "SubState", "NRestarts"))
os.makedirs(ROOT + "/etc/oomlet")
write(ROOT + CONFIG, "system: {order: [yuongest]}\n")
check("with a wrong configuration it fails, and says where", systemctl("reload", UNIT)[0] != 0 and 'line 1, column 18: system.order: "yuongest"' in log(), log())
os.remove(ROOT + CONFIG)
check("  until that is right", systemctl("reload", UNIT)[0] == 0 and until(10, lambda: running(0)), log())
same("  not degraded", degraded(), {})

print("== restart", flush=True)
# Longer than the 10 s after which it says that it is alive
os.makedirs(f"{ROOT}/etc/systemd/system/{UNIT}.d")
write(f"{ROOT}/etc/systemd/system/{UNIT}.d/watchdog.conf", "[Service]\nWatchdogSec=15\n")
systemctl("daemon-reload")
pin = f"{LINKS}/links/{web.cgroup.id}"
before = pid()
code, _ = systemctl("restart", UNIT)
same("systemctl restart: another process", (code, running(0), pid() != before), (0, True, True))
check("  policies stay where they are", os.path.exists(pin))
same("  and decide", victim("third"), [("web", "second")])
check("  on record", on_record(["first", "second"]))

print("== an agent that hangs", flush=True)
before = pid()
os.kill(before, signal.SIGSTOP)
same("stopped: policies decide", victim("fourth"), [("web", "third")])
same("  nothing is on record", len(records()), 2)
check("the watchdog ends it, and systemd starts another", until(60, lambda: running(1)), show("ActiveState", "SubState", "NRestarts"))
check("  because of the watchdog", pid() != before and "Failed with result 'watchdog'" in log(), log())
check("  which has what happened meanwhile, once", on_record(["first", "second", "third"]), records())
same("  not degraded", degraded(), {})

print("== an agent that is killed", flush=True)
before = pid()
os.kill(before, signal.SIGKILL)
same("killed: policies decide", victim("fifth"), [("web", "fourth")])
check("systemd starts another", until(30, lambda: running(2)) and pid() != before, show("ActiveState", "SubState", "NRestarts"))
check("  which has what happened meanwhile, once", on_record(["first", "second", "third", "fourth"]), records())
same("  policies decide", victim("sixth"), [("web", "fifth")])

print("== a container below a service", flush=True)
for policy, ends in ("kill", True), ("continue", False):
    service = f"below-{policy}.service"
    there("systemd-run", "--service-type=exec", "--unit", service, "-p", "Delegate=yes", "-p", f"OOMPolicy={policy}", "sleep", "1000")
    # As podman --cgroups=split divides it
    whole = Cgroup.there(f"/system.slice/{service}")
    supervisor = Cgroup(whole.path + "/supervisor")
    for process in whole.get("cgroup.procs").split():
        supervisor.set("cgroup.procs", process)
    whole.enable()
    split = Container(whole, "payload", "largest-rss")
    split.start("small", anon=10), split.start("large", anon=20)
    code, said = split.hook()
    warning = f"systemd ends {service} after any OOM kill (OOMPolicy=kill): set OOMPolicy=continue"
    same(f"OOMPolicy={policy}: the hook warns", (code, warning in said), (0, ends))
    same("  so does doctor", warning in oomlet("doctor")[1], ends)
    same("  the policy's victim", ("payload", "large") in deaths([split], lambda: run_out(split.cgroup, split.processes[0])), True)
    check("  and it is as it was said", until(20, lambda: (systemctl("is-active", service)[1] == "failed\n") == ends), systemctl("status", service))
    if not ends:
        split.remove()
    systemctl("stop", service)

print("== stop", flush=True)
same("systemctl disable --now: it ends cleanly", (systemctl("disable", "--now", UNIT)[0], show("ActiveState", "Result", "ExecMainStatus")),
     (0, ["inactive", "success", "0"]))
same("  its socket is gone, policies are not", (os.path.exists("/run/oomlet/agent.sock"), os.path.exists(pin)), (False, True))
same("  and decide", victim("seventh"), [("web", "sixth")])
check("its journal is the group's to read, nobody's else", oct(os.stat(ROOT + "/var/lib/oomlet").st_mode & 0o7777) == "0o750")
check("no system call was refused", "refused" not in log(), log())
web.remove()
top.remove()
check_clean(TOP)
finish(48)
