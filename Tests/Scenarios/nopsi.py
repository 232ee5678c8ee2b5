#!/usr/bin/python3
# A node whose kernel measures no pressure.
# vm: --append psi=0
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
top.enable()
agent = Agent()
service = status()["service"]
degraded = {d["reason"]: d["message"] for d in service["degraded"]}
same("the agent runs, and says what is missing and what to do", (list(degraded), "booted with psi=0" in degraded.get("psi", "")), (["psi"], True))
doctor = subprocess.run(["oomlet", "doctor", "-o", "json"], capture_output=True, text=True)
psi = [f for f in json.loads(doctor.stdout)["items"] if f["check"] == "psi"][0]
same("doctor warns, and does not fail", (doctor.returncode, psi["result"], "psi=0" in psi["detail"]), (0, "warn", True))
web = Container(top, "web", "largest-rss")
web.start("small", anon=10), web.start("large", anon=20)
web.attach()
same("limits work", deaths([web], lambda: run_out(web.cgroup, web.processes[0])), [("web", "large")])
check("and are on record", until(5, lambda: [r["victim"]["comm"] for r in records()] == ["large"]), records())
web.remove()
top.remove()
same("the agent ends cleanly", agent.stop(), 0)
check_clean(TOP)
finish(11)
