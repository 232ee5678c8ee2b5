"""The DaemonSet's pod as a container of runc: what the kubelet and containerd make of its specification, without either.

Read is what `kubectl kustomize` makes of manifests/kubernetes. A field that is not known here is an error, so that none is left
out in silence. The state is where containerd keeps it, so that the agent sees its own container as it does in a cluster.
"""

import urllib.error
import urllib.request

import yaml

from oomtree import *

WORK = "/run/scenario/pods"
IMAGE = HERE + "/.out/image"
RUNC = ["runc", "--root", "/run/containerd/runc/k8s.io"]
# What the kubelet gives critical pods (QOS policies, pkg/kubelet/qos)
CRITICAL_ADJ = -997
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def objects(directory="agent"):
    """Of a directory that the Makefile has had kustomized, by kind."""
    with open(f"{HERE}/.out/{directory}.yaml") as f:
        found = {}
        for item in yaml.safe_load_all(f):
            found.setdefault(item["kind"], []).append(item)
        return found


def only(mapping, *known):
    """The fields, if none of them is another one."""
    unknown = set(mapping) - set(known)
    assert not unknown, f"not known to agentpod.py: {unknown}"
    return mapping


def quantity(text):
    """Bytes of a Kubernetes quantity of memory."""
    return int(text[:-2]) << {"Ki": 10, "Mi": 20, "Gi": 30}[text[-2:]]


def network(name, address):
    """A network namespace, joined to the node's by a pair of interfaces, as by a CNI plugin; of one pod at a time."""
    ip = lambda *args: subprocess.run(["ip", *args], check=True)
    ip("netns", "add", name)
    ip("link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", name)
    ip("addr", "add", address.rpartition(".")[0] + ".1/24", "dev", "veth0")
    ip("link", "set", "veth0", "up")
    ip("-n", name, "addr", "add", address + "/24", "dev", "eth0")
    for interface in "lo", "eth0":
        ip("-n", name, "link", "set", interface, "up")


class AgentPod:
    """A pod of a DaemonSet, on a node whose mounts are shared as systemd makes them.

    edit: changes the specification before it is taken.
    """

    ADDRESS = "10.88.0.2"
    runs = 0

    def __init__(self, directory="agent", edit=lambda spec: None):
        kinds = objects(directory)
        (daemonset,) = kinds["DaemonSet"]
        self.name = daemonset["metadata"]["name"]
        self.namespace = daemonset["metadata"]["namespace"]
        template = daemonset["spec"]["template"]
        self.annotations = template["metadata"].get("annotations", {})
        self.spec = only(template["spec"], "serviceAccountName", "automountServiceAccountToken", "tolerations", "nodeSelector",
                         "priorityClassName", "hostPID", "terminationGracePeriodSeconds", "securityContext", "initContainers",
                         "containers", "volumes")
        assert self.spec["automountServiceAccountToken"] is False
        only(self.spec["securityContext"], "seLinuxOptions")
        edit(self.spec)
        self.config_maps = {item["metadata"]["name"]: item["data"] for item in kinds.get("ConfigMap", [])}
        self.dir = f"{WORK}/{self.name}"
        self.slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + self.name.replace("-", "_") + ".slice"
        os.makedirs(self.dir, exist_ok=True)
        if not os.path.exists("/run/netns/" + self.name):
            network(self.name, self.ADDRESS)
        self.mounted = []
        self.mount_volumes()

    # --- volumes

    def mount_volumes(self):
        self.volumes = {}
        for volume in self.spec["volumes"]:
            only(volume, "name", "hostPath", "configMap")
            if "hostPath" in volume:
                path, kind = volume["hostPath"]["path"], volume["hostPath"]["type"]
                assert kind in ("Directory", "DirectoryOrCreate"), kind
                assert kind != "Directory" or os.path.isdir(path), path
                os.makedirs(path, exist_ok=True)
            else:
                path = f"{self.dir}/volumes/{volume['name']}"
                self.write_config_map(path, self.config_maps[volume["configMap"]["name"]])
            self.volumes[volume["name"]] = path

    def write_config_map(self, path, data):
        """As the kubelet does: files of a directory that is replaced as a whole."""
        version = f"..{time.monotonic_ns()}"
        os.makedirs(f"{path}/{version}")
        for name, text in data.items():
            write(f"{path}/{version}/{name}", text)
            if not os.path.islink(f"{path}/{name}"):
                os.symlink(f"..data/{name}", f"{path}/{name}")
        os.symlink(version, path + "/..data_tmp")
        os.rename(path + "/..data_tmp", path + "/..data")

    def configure(self, text):
        """Another config.yaml in the ConfigMap, and what the DaemonSet's roll-over does to the node."""
        (name,) = (v["configMap"]["name"] for v in self.spec["volumes"] if "configMap" in v)
        self.config_maps[name]["config.yaml"] = text
        self.mount_volumes()
        self.init()

    # --- containers

    def init(self):
        """Runs the init containers to their end, one after the other."""
        for container in self.spec["initContainers"]:
            name, path = self.bundle(container)
            run = subprocess.run([*RUNC, "run", "--bundle", path, name], capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr

    def start(self, log):
        """The first container, in front of a process that ends with it."""
        (container,) = self.spec["containers"]
        self.container = container
        self.id, path = self.bundle(container)
        self.popen = subprocess.Popen([*RUNC, "run", "--bundle", path, self.id], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.popen

    @property
    def pid(self):
        """On the node."""
        return json.loads(read(f"{RUNC[2]}/{self.id}/state.json"))["init_process_pid"]

    def stop(self, how=signal.SIGTERM):
        """Its exit status."""
        os.kill(self.pid, how)
        return self.popen.wait()

    def execute(self, *args):
        """As `kubectl exec`: exit status, output."""
        run = subprocess.run([*RUNC, "exec", self.id, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return run.returncode, run.stdout + run.stderr

    def remove(self):
        """After its containers' end, what is left of it on the node."""
        subprocess.run(["ip", "netns", "del", self.name], check=True)
        subprocess.run(["umount", *self.mounted], check=True)
        for path in self.slice, os.path.dirname(self.slice), os.path.dirname(os.path.dirname(self.slice)):
            until(5, lambda: "populated 0" in read(f"{MOUNT}{path}/cgroup.events"))
            os.rmdir(MOUNT + path)
        shutil.rmtree(self.dir)

    # --- what asks it

    def get(self, path, port):
        """Status and body of its HTTP server; port: a name of the specification's, or a number."""
        ports = {p["name"]: p["containerPort"] for p in self.container["ports"]}
        try:
            with urllib.request.urlopen(f"http://{self.ADDRESS}:{ports.get(port, port)}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return None, str(error)

    def probe(self, kind):
        """What the kubelet's probe gets: startup, readiness, liveness."""
        (container,) = self.spec["containers"]
        what = only(container[kind + "Probe"], "httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold")["httpGet"]
        return self.get(what["path"], what["port"])

    def metric(self, series):
        """As Prometheus finds it: by the pod's annotations."""
        assert self.annotations["prometheus.io/scrape"] == "true"
        text = self.get(self.annotations["prometheus.io/path"], int(self.annotations["prometheus.io/port"]))[1]
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#") and " " in line)
        return float(values[series]) if series in values else None

    # --- the runtime's specification

    def bundle(self, container):
        """The container's name to the runtime, and its directory."""
        only(container, "name", "image", "command", "env", "securityContext", "resources", "volumeMounts", "ports", "startupProbe",
             "readinessProbe", "livenessProbe")
        AgentPod.runs += 1
        name = f"{self.name}-{container['name']}-{AgentPod.runs}"
        security = only(container["securityContext"], "runAsUser", "allowPrivilegeEscalation", "readOnlyRootFilesystem",
                        "capabilities", "seccompProfile", "appArmorProfile")
        path = f"{self.dir}/{name}"
        os.makedirs(path)
        namespaces = [{"type": kind} for kind in ("ipc", "uts", "mount", "cgroup")]
        namespaces.append({"type": "network", "path": "/run/netns/" + self.name})
        if not self.spec.get("hostPID"):
            namespaces.append({"type": "pid"})
        mounts = [self.mount(m) for m in container["volumeMounts"]]
        write(path + "/config.json", json.dumps({
            "ociVersion": "1.0.2", "hostname": "node",
            "root": {"path": self.rootfs(path), "readonly": security["readOnlyRootFilesystem"]},
            "process": {
                "user": {"uid": security["runAsUser"], "gid": 0}, "args": container["command"], "cwd": "/",
                "env": ["PATH=/usr/bin:/bin"] + [f"{e['name']}={e['value']}" for e in container.get("env", [])],
                "noNewPrivileges": not security["allowPrivilegeEscalation"], "oomScoreAdj": self.oom_score_adj(),
                "capabilities": self.capabilities(security),
                # Of containerd's service
                "rlimits": [{"type": "RLIMIT_MEMLOCK", "hard": 8 * MIB, "soft": 8 * MIB}],
            },
            "annotations": {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": container["name"],
                            "io.kubernetes.cri.sandbox-name": self.name, "io.kubernetes.cri.sandbox-namespace": self.namespace},
            "mounts": [m for m in self.own_mounts() if m["destination"] not in {m["destination"] for m in mounts}] + mounts,
            "linux": {
                "cgroupsPath": f"{self.slice}/cri-containerd-{name}.scope", "namespaces": namespaces,
                "resources": self.resources(container.get("resources", {})), **self.seccomp(security),
                "maskedPaths": MASKED, "readonlyPaths": READONLY,
                **({"rootfsPropagation": "rslave"} if any("rslave" in m["options"] for m in mounts) else {}),
            }}))
        return name, path

    def rootfs(self, bundle):
        """The image, with a place for what the runtime makes in it."""
        for directory in "rootfs", "upper", "work":
            os.makedirs(f"{bundle}/{directory}")
        options = f"lowerdir={IMAGE},upperdir={bundle}/upper,workdir={bundle}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "image", bundle + "/rootfs"], check=True)
        self.mounted.append(bundle + "/rootfs")
        return self.mounted[-1]

    def oom_score_adj(self):
        return CRITICAL_ADJ if self.spec.get("priorityClassName", "").startswith("system-") else 1000

    def own_mounts(self):
        """containerd's, of a container that is not privileged; without a terminal or a message queue."""
        quiet = ["nosuid", "noexec", "nodev"]
        return [{"destination": "/proc", "type": "proc", "source": "proc", "options": quiet},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": quiet + ["ro"]},
                {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": quiet + ["relatime", "ro"]}]

    def mount(self, volume):
        only(volume, "name", "mountPath", "readOnly", "mountPropagation")
        propagation = {None: "rprivate", "HostToContainer": "rslave"}[volume.get("mountPropagation")]
        return {"destination": volume["mountPath"], "type": "bind", "source": self.volumes[volume["name"]],
                "options": ["rbind", propagation, "ro" if volume.get("readOnly") else "rw"]}

    def capabilities(self, security):
        capabilities = only(security["capabilities"], "drop", "add")
        assert capabilities["drop"] == ["ALL"]
        names = ["CAP_" + name for name in capabilities.get("add", [])]
        return {kind: names for kind in (["bounding", "effective", "permitted"] if security["runAsUser"] == 0 else ["bounding"])}

    def seccomp(self, security):
        """None by default, as the kubelet has it unless told otherwise."""
        kind = security.get("seccompProfile", {"type": "Unconfined"})["type"]
        assert kind == "Unconfined", f"there is no profile {kind} here"
        return {}

    def resources(self, resources):
        only(resources, "requests", "limits")
        memory = quantity(only(resources["limits"], "memory")["memory"]) if "limits" in resources else None
        return {"memory": {"limit": memory, "swap": memory} if memory else {}, "cpu": {"shares": 10}, "unified": {"memory.oom.group": "1"}}
