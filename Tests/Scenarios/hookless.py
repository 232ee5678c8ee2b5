"""Containers of a real runtime without hooks: what only the agent gives a policy."""

import shutil

from oomtree import *

WORK = "/run/scenario"


def rss_mib(pid):
    return int(status_of(pid).get("VmRSS", "0").split()[0]) // 1024


def bundle(name, cgroup, annotations, *workers):
    path = f"{WORK}/{name}"
    for directory in ("rootfs/proc", "rootfs/dev", "rootfs/ctl", "ctl"):
        os.makedirs(f"{path}/{directory}")
    os.mkfifo(path + "/ctl/commands")
    shutil.copy(HERE + "/.out/workload", path + "/rootfs/")
    write(path + "/config.json", json.dumps({
        "ociVersion": "1.0.2", "root": {"path": "rootfs"}, "hostname": name, "annotations": annotations,
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/workload", *workers], "env": [], "cwd": "/"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/ctl", "type": "bind", "source": path + "/ctl", "options": ["bind"]}],
        "linux": {"cgroupsPath": cgroup, "namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts")],
                  "resources": {"memory": {"limit": 96 * MIB, "swap": 96 * MIB}, "unified": {"memory.oom.group": "1"}}}}))
    return path


class Run:
    """Of 96 MiB, with the workload's workers.

    command: the runtime, with its options. cgroup: its path.
    """

    def __init__(self, command, name, cgroup, annotations, *workers):
        self.command, self.name, self.cgroup = command.split(), name, cgroup
        self.path = bundle(name, cgroup, annotations, *workers)
        self.log = open(self.path + "/log", "w")
        for args in (["create", "--bundle", self.path, name], ["start", name]):
            subprocess.run([*self.command, *args], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, check=True)
        assert until(20, lambda: "ready" in read(self.path + "/log")), read(self.path + "/log")
        self.alive()

    def alive(self):
        pids = read(f"{MOUNT}{self.cgroup}/cgroup.procs").split()
        return {read(f"/proc/{pid}/comm").strip(): pid for pid in pids}

    def who_dies(self, first, mib, second):
        """When one worker has grown to so much, and then another to what is left. One that dies comes back with 2 MiB."""
        before = self.alive()
        write(self.path + "/ctl/commands", f"grow {first} {mib}\n")
        assert until(15, lambda: rss_mib(before[first]) >= mib)
        write(self.path + "/ctl/commands", f"grow {second} {100 - mib}\n")
        until(15, lambda: self.alive().get(first, before[first]) != before[first])
        now = self.alive()
        return [name for name in before if before[name] != now.get(name)]

    def remove(self):
        subprocess.run([*self.command, "kill", self.name, "KILL"], stderr=subprocess.DEVNULL)
        until(10, lambda: not self.alive())
        subprocess.run([*self.command, "delete", "--force", self.name], stderr=subprocess.DEVNULL)
        self.log.close()
        shutil.rmtree(self.path)
