#!/usr/bin/python3
# A node whose kernel measures no pressure.
# vm: --append psi=0
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
top.enable()
agent = Agent()
same("the agent runs, and says what is missing and what to do", [(r, "booted with psi=0" in m) for r, m in degraded().items()], [("psi", True)])
same("doctor warns, and does not fail", (oomlet("doctor")[0], [(r, "psi=0" in text) for r, text in findings()["psi"]]), (0, [("warn", True)]))
check_no_pressure(top, "booted with psi=0: boot it without")
web = Container(top, "web", "largest-rss")
web.start("small", anon=10), web.start("large", anon=20)
web.attach()
same("limits work", deaths([web], lambda: run_out(web.cgroup, web.processes[0])), [("web", "large")])
check("and are on record", until(5, lambda: [r["victim"]["comm"] for r in records()] == ["large"]), records())
web.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(16)
