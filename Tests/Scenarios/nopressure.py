#!/usr/bin/python3
# A node whose kernel measures pressure, but not that of cgroups.
# vm: --append cgroup_disable=pressure
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
top.enable()
os.makedirs("/etc/oomlet", exist_ok=True)
write("/etc/oomlet/config.yaml", "system: {pressure: {full: 50%}}\n")
agent = Agent()
why = "booted with cgroup_disable=pressure"
same("the agent runs, and says what is missing and what to do", [(r, why in m) for r, m in degraded().items()], [("psi", True)])
same("doctor warns, and does not fail", (oomlet("doctor")[0], [(r, why in text) for r, text in findings()["psi"]]), (0, [("warn", True)]))
check("the node's own pressure is measured all the same", oomlet("pressure", "system")[1].startswith("full 0% of 50%"), oomlet("pressure", "system"))
check_no_pressure(top, why)
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(15)
