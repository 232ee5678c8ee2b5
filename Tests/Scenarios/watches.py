#!/usr/bin/python3
# A node whose watches for files are used up, and a tenant who has more cgroups than anybody would watch: the agent sees later what
# it would else see at once.
# takes 60
from oomtree import *

TOP, CONFIG = "/oomlet-test", "/etc/oomlet/config.yaml"
INOTIFY = "/proc/sys/fs/inotify/max_user_"
top = Cgroup(TOP)
top.enable()
os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
web = Container(top, "web", "largest-rss")
web.start("one", anon=1)
web.attach()


def sees_changes():
    """Three checks, each within 25 s: a round of the agent is 10."""
    web.cgroup.set("memory.oom.group", 1)
    write(CONFIG, f"system: {{protect: [\"{TOP[1:]}/**/db\"]}}\njournal: {{max-files: {sees_changes.number}}}\n")
    sees_changes.number += 1
    before = read("/tmp/agent.log").count("configuration loaded again")
    check("  memory.oom.group is set again", until(25, lambda: web.cgroup.get("memory.oom.group") == "0"))
    check("  the configuration is loaded again", until(25, lambda: read("/tmp/agent.log").count("configuration loaded again") > before))
    db = Cgroup(f"{tenant.path if tenant else TOP}/db")
    check("  a cgroup that it protects is protected", until(25, lambda: f"protected: cgroup {db.path}" in read("/tmp/agent.log")))
    db.remove()


sees_changes.number = 2
tenant = None
for limit, value in ("watches", 8), ("instances", 0):
    was = read(INOTIFY + limit)
    write(INOTIFY + limit, value)
    agent = Agent()
    reason = degraded().get("watches", "")
    check(f"no {limit} are left: the agent runs, and says so with the remedy", f"sysctl -w fs.inotify.max_user_{limit}=128" in reason, degraded())
    sees_changes()
    write(INOTIFY + limit, was)
    check("  when there are some again, it is as ever", until(25, lambda: "watches" not in degraded()), degraded())
    write(CONFIG, "")
    agent.stop()
    open("/tmp/agent.log", "w").close()

write(CONFIG, f"system: {{protect: [\"{TOP[1:]}/**/db\"]}}\n")
agent = Agent()
tenant = Cgroup(TOP + "/tenant")
crowd = [Cgroup(f"{tenant.path}/{n}") for n in range(4200)]
check("a tenant with 4,200 cgroups: the agent says that it does not watch them all",
      until(60, lambda: "more than 4096 directories" in degraded().get("watches", "")), degraded())
watches = sum(line.startswith("inotify") for fd in os.listdir(f"/proc/{agent.popen.pid}/fdinfo") for line in read(f"/proc/{agent.popen.pid}/fdinfo/{fd}").splitlines())
check("  and it watches no more than it may", 4096 <= watches < 4500, watches)
sees_changes()
for cgroup in crowd:
    cgroup.remove()
tenant.remove()
check("  when they are gone, it is as ever", until(60, lambda: not degraded()), degraded())
write(CONFIG, "")
web.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(23)
