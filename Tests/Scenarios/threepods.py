"""Three pods of different QoS class, for scenarios in which one of them has to give way."""

from oomtree import *

TOP = "/oomlet-test"
# oom_score_adj, as the kubelet sets it for such pods
ADJUSTED = {"guaranteed": -997, "burstable": 500, "besteffort": 1000}


class Pods:
    """They are laid out as by the kubelet, with one container each; a service may be beside them."""

    PATHS = {"guaranteed": "kubepods.slice/kubepods-pod1.slice", "burstable": "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2.slice",
             "besteffort": "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod3.slice"}

    def __init__(self, policies={}, sizes=(60, 40, 20), annotations={}, adjusted={}):
        self.cgroups = {}
        self.top = self.make(TOP)
        self.containers = []
        for (name, path), mib in zip(self.PATHS.items(), sizes):
            pod = self.top
            for part in path.split("/"):
                pod = self.make(f"{pod.path}/{part}")
            container = Container(pod, f"cri-containerd-{name}.scope", policies.get(name))
            container.name = name
            container.annotations.update({"io.kubernetes.cri.container-name": name, "io.kubernetes.cri.sandbox-name": name + "-pod",
                                          "io.kubernetes.cri.sandbox-namespace": "team-" + name, **annotations.get(name, {})})
            for process, anon in (name, mib), (name + "-2", 6):
                container.begin(process, anon=anon, adj=adjusted.get(name, 0))
            setattr(self, name, container)
            self.containers.append(container)
        all_ready(self.containers)

    def make(self, path):
        if path not in self.cgroups:
            self.cgroups[path] = Cgroup(path)
            self.cgroups[path].enable()
        return self.cgroups[path]

    def service(self, name, mib, process=None):
        """A cgroup of no container."""
        self.make(TOP + "/system.slice")
        service = Container(self.cgroups[TOP + "/system.slice"], name, group=0)
        service.name = name
        service.start(process or name[:8], anon=mib)
        self.containers.append(service)
        return service

    def attach(self, *names):
        for name in names or self.PATHS:
            getattr(self, name).attach()

    def run_out(self):
        """The slice of all of them is out of memory."""
        alive = [p for c in self.containers for p in c.processes if p.alive()]
        run_out(self.top, alive[0], 3)

    def deaths(self, act=None):
        got = deaths(self.containers, act or self.run_out)
        self.top.set("memory.max", "max")
        return got

    def remove(self):
        for container in self.containers:
            container.remove()
        for path in sorted(self.cgroups, key=len, reverse=True):
            self.cgroups[path].remove()


def both(name):
    return [(name, name), (name, name + "-2")]


# Two OOMs of the node: the pods, and who of them gives way by the node's order. The kernel by itself takes another one.
BY_QOS = dict(policies={"guaranteed": "largest-rss", "burstable": "largest-rss"}), both("besteffort")
BY_PRIORITY = (dict(policies={"guaranteed": "{victim: largest-rss, priority: -100}", "burstable": "largest-rss"}, sizes=(20, 60, 40),
                    adjusted=ADJUSTED), [("guaranteed", "guaranteed")])
