#!/usr/bin/python3
# The documents' recipes as they are written: cut out of them (Tests/Recipes), and followed one after the other, with what they
# install and nothing of the checkout's own. What no machine here can run is named at the end, with its reason.
# vm: --memory 1536 --timeout 600
# takes 45
import re
import shutil
import socket
import tomllib

from oomtree import *

CHECKOUT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, CHECKOUT + "/Tests/Recipes")
from blocks import block, blocks
from cri import Pod, image_archive

WORK = "/run/recipes"
IMAGE = "docker.io/library/busybox:1.36"
CGROUPS = "/recipes"

# Run elsewhere, or nowhere, by the beginning of their text
ELSEWHERE = {
    ("README.md", "make demo"): "CI runs make test, and scenario demo is the demo",
    ("docs/policy.md", "$ oomlet check"): "Tests/Recipes/run runs it",
    ("docs/man/oomlet-check.1", "$ oomlet check shop"): "Tests/Recipes/run runs it",
    ("docs/man/oomlet-check.1", "$ echo"): "Tests/Recipes/run runs it",
    ("docs/man/oomlet-check.1", "$ oomlet check deploy/"): "Tests/Recipes/run runs it",
    ("docs/hook.md", "{"): "the hooks of examples/runc-bundle, which Tests/Recipes/run compares",
    ("docs/relief.md", "jq"): "scenario relief runs it",
    ("examples/pods/README.md", "oomlet check"): "scenario podman runs it",
    ("hooks/README.md", "cat >/usr/local/bin/runc-oomlet"): "scenario docker runs it",
    ("hooks/README.md", "{\"runtimes\""): "scenario docker runs it",
    ("manifests/README.md", "make build"): "scenario systemd runs it",
    ("manifests/README.md", "sed -i"): "Tests/Packaging/run runs it",
    ("manifests/README.md", "make image"): "NOT RUN: no cluster, no registry; Tests/Packaging makes the image's root and checks the manifests",
    ("manifests/README.md", "kubectl"): "NOT RUN: no cluster; Tests/Recipes/run looks for the objects that it names",
}
taken = set()


def recipe(document, beginning):
    taken.add(one := block(document, beginning))
    return one


def follow(one, directory=CHECKOUT, before=""):
    """Runs it as a shell does that ends at the first error; returns what it printed. before: functions in place of programs."""
    ended = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", before + one.text], cwd=directory, capture_output=True, text=True)
    check(str(one), ended.returncode == 0, f"exit status {ended.returncode}: {ended.stdout}{ended.stderr}")
    return ended.stdout


def printed(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def attached(of="policy"):
    """The policies of containers by their names, or their ids where they have none."""
    return {container["name"] or container["id"]: container[of] for container in status()["attached"]}


# --- README.md: installing ------------------------------------------------------------------------

os.environ["PATH"] = ":".join(p for p in os.environ["PATH"].split(":") if not p.startswith(CHECKOUT))
check("nothing is installed", not shutil.which("oomlet"))
# Built it is already: four minutes of this machine's outside would be an hour here
follow(recipe("README.md", "make build && make install"), before='make() { [[ $1 == build ]] || command make "$@"; }\n')
same("oomlet is installed", shutil.which("oomlet"), "/usr/bin/oomlet")

# --- examples/: a policy of your own, a bundle for runc ---------------------------------------------

os.makedirs(WORK)
os.makedirs(MOUNT + CGROUPS)
shutil.copytree(CHECKOUT + "/examples", WORK + "/examples")
os.symlink(CHECKOUT + "/bpf", WORK + "/bpf")
follow(recipe("examples/custom-policy/README.md", "make && make install"), WORK + "/examples/custom-policy")
agent = Agent()
check("the agent has loaded it", "growth" in status()["policies"])

BUNDLE = WORK + "/examples/runc-bundle"
one = recipe("examples/runc-bundle/README.md", "mkdir")
check("the bundle's container prints what the page says", "tail ended with 137, the shell lives" in follow(one, BUNDLE))
decided = lambda: [(r["policy"], r["victim"]["comm"], r["outcome"]) for r in records() if r["victim"]]
until(5, lambda: decided())
same("and the record is there", decided(), [("largest-rss", "tail", "killed")])
config = read(BUNDLE + "/config.json")
write(BUNDLE + "/config.json", config.replace("victim: largest-rss\\nprotect: [init]\\n", "growth"))
printed("runc", "run", "--bundle", BUNDLE, "own")
until(5, lambda: len(decided()) == 2)
same("so it does with the policy of one's own", decided()[1:], [("growth", "tail", "killed")])

# --- README.md, docs/: what commands show ------------------------------------------------------------

shown = recipe("README.md", "$ oomlet kills").text.splitlines()
kills = printed("oomlet", "kills").splitlines()
same("oomlet kills has the columns that README.md shows", kills[0].split(), shown[1].split())
# Of another container, with other numbers
pattern = re.sub(r"\d+", r"\\d+", re.escape(shown[2].replace("web", "example").replace("api", "tail")))
check("and a line like that one", re.fullmatch(re.sub(r"(\\ )+", " +", pattern), kills[1]), kills[1])
# It ends when somebody ends it
follows = 'oomlet() { [[ $* != *--follow* ]] || { timeout 3 oomlet "$@" || (($? == 124)); return; }; command oomlet "$@"; }\n'
output = follow(recipe("docs/journal.md", "oomlet kills"), before=follows)
same("the journal's recipes: all, the last hour's, none of that pod, what there was before what comes",
     (output.count("\nAGE") + output.startswith("AGE"), output.count('{"time"')), (2, 2))
output = follow(recipe("docs/records.md", "# by the container's own limit"))
same("the records' recipes: a sentence of each, and who dies most",
     (output.count(" killed tail "), output.splitlines()[-1].split()), (2, ["2", "tail"]))

# --- docs/agent.md: the socket ------------------------------------------------------------------------

def ask(request):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/oomlet/agent.sock")
        s.sendall(json.dumps(json.loads(request.text)).encode() + b"\n")
        return json.loads(b"".join(iter(lambda: s.recv(65536), b"")))


def shape(value):
    """Members and what they are, of an array its first item's."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items() if key != "degraded"}
    return type(value)


answer = json.loads(recipe("docs/agent.md", '{"result"').text)
same("the agent answers status as the page shows", shape(ask(recipe("docs/agent.md", '{"method": "status"}'))), shape(answer))
reload = recipe("docs/agent.md", '{"method": "reload"}')
same("and reload in the same way", shape(ask(reload)), shape(answer))
write("/etc/oomlet/config.yaml", "system: {order: [a]}\n")
error, shown = ask(reload), json.loads(recipe("docs/agent.md", '{"error"').text)
same("with a broken configuration, too", shape(error), shape(shown))
check("in those words", error["error"]["message"].startswith(shown["error"]["message"].rstrip("…")) and
      error["error"]["status"] == shown["error"]["status"], error)
os.remove("/etc/oomlet/config.yaml")

# --- hooks/README.md: containerd ------------------------------------------------------------------------

follow(recipe("hooks/README.md", "ctr oci spec"))
default, base = json.loads(printed("ctr", "oci", "spec")), json.loads(read("/etc/containerd/oomlet-spec.json"))
check("ctr's specification has a limit of 1024 files", default["process"].pop("rlimits")[0]["soft"] == 1024)
check("and no filter, which containerd would keep", not {"seccomp", "apparmorProfile"} & {*default["process"], *default["linux"]})
hooks = base.pop("hooks")
same("the recipe takes that, and nothing else", base, default)
same("and adds the hooks of the bundle", hooks, json.loads(config)["hooks"])

# The page has the table of version 3, and says what it is called in version 2, which this containerd reads
toml = recipe("hooks/README.md", "[plugins.").text
name = read(CHECKOUT + "/hooks/README.md").partition("in version 2 the table is `")[2].partition("`")[0]
toml = toml.replace("io.containerd.cri.v1.runtime", name)
os.makedirs("/etc/containerd", exist_ok=True)
write("/etc/containerd/config.toml", f"""version = 2
root = "/run/containerd-root"
[plugins.'{name}']
  sandbox_image = "{IMAGE}"
[plugins.'{name}'.containerd]
  snapshotter = "native"
[plugins.'{name}'.containerd.runtimes.plain]
  runtime_type = "io.containerd.runc.v2"
  pod_annotations = {json.dumps(tomllib.loads(toml)["plugins"][name]["containerd"]["runtimes"]["runc"]["pod_annotations"])}
{toml}""")
containerd = subprocess.Popen(["containerd"], stdout=open("/tmp/containerd.log", "w"), stderr=subprocess.STDOUT)
check("containerd starts with the page's configuration", until(60, lambda: "Server:" in printed("ctr", "version")),
      read("/tmp/containerd.log")[-2000:])
os.makedirs(WORK + "/image/bin")
shutil.copy(shutil.which("busybox"), WORK + "/image/bin/busybox")
for applet in ("sh", "sleep"):
    os.symlink("busybox", f"{WORK}/image/bin/{applet}")
image_archive(IMAGE, WORK + "/image", ["sleep", "1000000"], WORK + "/image.tar")
for namespace in ("k8s.io", "default"):
    printed("ctr", "-n", namespace, "images", "import", "--snapshotter", "native", WORK + "/image.tar")

for controller in ("memory", "pids", "cpu", "cpuset", "io"):
    write(MOUNT + CGROUPS + "/cgroup.subtree_control", "+" + controller)


def specification(id):
    return json.loads(read(f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json"))


def comparable(pod, id):
    """What its runtime was told, without what is one pod's: ids, and the pause container's pid in the names of namespaces."""
    text = json.dumps(specification(id)).replace(id, "ID").replace(pod.id, "POD")
    for namespace in (spec := json.loads(text))["linux"]["namespaces"]:
        namespace["path"] = os.path.basename(namespace.get("path", ""))
    return spec


pods = {}
for handler in ("", "plain"):
    pod = Pod("web-pod", CGROUPS + "/pod", {"oom.policy": "largest-rss"}, handler)
    id = pod.run("web", IMAGE, ["sleep", "1000000"], 64 * MIB)
    process = int(printed("ctr", "-n", "k8s.io", "task", "ls").split(id)[1].split()[0])
    files = read(f"/proc/{process}/limits").split("Max open files")[1].split()[:2]
    pods[handler] = (comparable(pod, id), files)
    if not handler:
        same("a pod's container has its policy from the hook, under its names",
             ([c["policy"] for c in status()["attached"] if (c["name"], c["pod"]) == ("web", "web-pod")]), ["largest-rss"])
    pod.remove()
    until(10, lambda: not attached())
(with_hook, files), (plain, own) = pods[""], pods["plain"]
same("when it is removed so is its policy", attached(), {})
same("its limit of files is what containerd gives without base specification", files, own)
with_hook.pop("hooks")
same("and so is all else", {key: (with_hook.get(key), plain.get(key)) for key in {**with_hook, **plain}
                            if with_hook.get(key) != plain.get(key)}, {})

# --- all of it taken off --------------------------------------------------------------------------------------

containerd.terminate()
containerd.wait()
agent.stop()
uninstall = "make uninstall PREFIX=/usr"
check("README.md says how it is taken off", f"`{uninstall}`" in read(CHECKOUT + "/README.md"))
same("and so it is", (subprocess.run(uninstall.split(), cwd=CHECKOUT, stdout=subprocess.DEVNULL).returncode, shutil.which("oomlet")), (0, None))

# --- what was not run ------------------------------------------------------------------------------------------

elsewhere = {block(*key): reason for key, reason in ELSEWHERE.items()}
runnable = {one for one in blocks() if one.kind in ("sh", "console", "json", "toml")}
same("each recipe is run here, or named with its reason", {str(one) for one in runnable ^ taken ^ set(elsewhere)}, set())
for one, reason in elsewhere.items():
    if reason.startswith("NOT RUN"):
        print(f"{reason}: {one}")
finish(32)
