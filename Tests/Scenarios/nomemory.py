#!/usr/bin/python3
# A node whose kernel counts no memory by cgroup.
# vm: --append cgroup_disable=memory
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
agent = Agent()
why = "booted with cgroup_disable=memory: boot it without"
check("the agent runs, and says what is missing and what to do", why in degraded().get("memory-controller", ""), degraded())
same("doctor fails with the remedy that helps", [(r, why in text) for r, text in findings()["cgroup"]], [("fail", True)])
box = Cgroup(TOP + "/web")
sleeper = Process(box.dir, "one")
state = {"id": "web", "status": "creating", "pid": sleeper.pid, "bundle": "/", "annotations": {"oom.policy": "largest-rss"}}


def start(policy):
    state["annotations"]["oom.policy"] = policy
    run = subprocess.run(["oomlet-hook", "--stage", "createRuntime"], input=json.dumps(state), text=True, stderr=subprocess.PIPE)
    return run.returncode, run.stderr


code, said = start("largest-rss")
check("a container starts without policy, with a warning that says so", code == 0 and why in said, (code, said))
code, said = start("{victim: largest-rss, require: true}")
check("with require: not, exit status 4", code == 4 and why in said, (code, said))
sleeper.end()
box.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(11)
