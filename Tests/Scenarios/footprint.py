#!/usr/bin/python3
# Not a test: what the agent needs while nothing happens, with more and more attached containers, beside earlyoom and systemd-oomd
# (where they are installed, or by the paths EARLYOOM and OOMD; the latter watches the same cgroups, as systemd would tell it to).
# vm: --memory 2048 --timeout 1500
import shutil
import socket
import threading

from oomtree import *

TOP = "/oomlet-test"
COUNTS = [int(n) for n in os.environ.get("COUNTS", "0 100 1000").split()]
SECONDS = int(os.environ.get("SECONDS_IDLE", "60"))
OOMD = os.environ.get("OOMD", "/lib/systemd/systemd-oomd")
EARLYOOM = os.environ.get("EARLYOOM", "/usr/bin/earlyoom")
MANAGED_OOM = "/run/systemd/io.system.ManagedOOM"


def used(pid):
    """Resident memory and its maximum, in KiB, and processor time, in ticks."""
    facts = status_of(pid)
    stat = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(facts["VmRSS"].split()[0]), int(facts["VmHWM"].split()[0]), int(stat[11]) + int(stat[12])


def tell_oomd(cgroups):
    """The service manager's side of its varlink: these cgroups are to be watched for pressure, the root for swap."""
    os.makedirs("/run/systemd/oom", exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(MANAGED_OOM)
    listener.listen()
    asked = threading.Event()

    def answer():
        connection, _ = listener.accept()
        connection.recv(4096)
        managed = [{"mode": "kill", "path": path, "property": "ManagedOOMMemoryPressure", "limit": 2576980377} for path in cgroups]
        managed.append({"mode": "kill", "path": "/", "property": "ManagedOOMSwap"})
        connection.sendall(json.dumps({"parameters": {"cgroups": managed}, "continues": True}).encode() + b"\0")
        asked.set()
        connection.recv(1)

    threading.Thread(target=answer, daemon=True).start()
    return asked


def start_bus():
    """A system bus where anybody may have any name."""
    os.makedirs("/run/dbus", exist_ok=True)
    write("/run/dbus.conf", """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
        <policy context="default"><allow send_destination="*"/><allow own="*"/><allow user="*"/></policy></busconfig>""")
    bus = subprocess.Popen(["dbus-daemon", "--config-file=/run/dbus.conf", "--nofork"], stderr=subprocess.DEVNULL)
    until(10, lambda: os.path.exists("/run/dbus/system_bus_socket"))
    return bus


def idle(programs):
    time.sleep(3)
    for name in [name for name, popen in programs.items() if popen.poll() is not None]:
        print(f"  {name:14} has ended with {programs.pop(name).returncode}")
    before = {name: used(popen.pid) for name, popen in programs.items()}
    time.sleep(SECONDS)
    for name, popen in programs.items():
        rss, most, ticks = used(popen.pid)
        share = (ticks - before[name][2]) / os.sysconf("SC_CLK_TCK") / SECONDS
        print(f"  {name:14} resident {rss:6} KiB, at most {most:6} KiB, {100 * share:.2f} % of a processor")


top = Cgroup(TOP)
top.enable()
agent = Agent()
attached = 0
for count in COUNTS:
    start = time.monotonic()
    at_once([lambda k=k: attach_crowd(top, range(attached + k, count, 4)) for k in range(4)])
    attached = count
    print(f"{count} attached, in {time.monotonic() - start:.0f} s; then {SECONDS} s idle, an emulated processor:", flush=True)
    programs = {"oomlet agent": agent.popen}
    if os.path.exists(EARLYOOM):
        programs["earlyoom"] = subprocess.Popen([EARLYOOM, "-r", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if os.path.exists(OOMD) and shutil.which("dbus-daemon"):
        asked = tell_oomd([f"{TOP}/c{n}" for n in range(count)])
        bus = start_bus()
        programs["systemd-oomd"] = subprocess.Popen([OOMD], stderr=open("/tmp/oomd.log", "w"))
        if not asked.wait(20):
            print("  systemd-oomd did not ask what to watch: " + read("/tmp/oomd.log"))
    idle(programs)
    for name in set(programs) - {"oomlet agent"}:
        programs[name].kill()
        programs[name].wait()
    if "systemd-oomd" in programs:
        bus.kill()
        bus.wait()
        os.remove(MANAGED_OOM)
        os.remove("/run/dbus/system_bus_socket")
agent.stop()
