#!/usr/bin/python3
# A tenant with more cgroups than a decision looks at, all of them empty: they hide nobody.
# vm: --memory 2048
# takes 50
from oomtree import *

TOP = "/oomlet-test"
top = Cgroup(TOP)
top.enable()
slice = Cgroup(TOP + "/slice")
slice.enable()
tenant = Cgroup(slice.path + "/a-tenant")
tenant.enable()
start = time.monotonic()
crowd = [Cgroup(f"{tenant.path}/{n}") for n in range(17000)]
print(f"      17,000 cgroups made in {time.monotonic() - start:.0f} s", flush=True)
hog = Container(tenant, "hog", "largest-rss")
hog.start("hog", anon=60)
hog.attach()
small = Container(slice, "small", "{victim: largest-rss}")
small.start("small", anon=8), small.start("asks", anon=2)
small.attach()
agent = Agent()
same("an OOM of the slice: the tenant's largest dies", deaths([hog, small], lambda: run_out(slice, small.processes[1])), [("hog", "hog")])
until(10, lambda: records())
same("  on record as a look at all of it", [(r["level"], r["victim"]["comm"], r["truncated"]) for r in records()], [("slice", "hog", False)])
agent.stop()
hog.remove(), small.remove()
for cgroup in crowd:
    cgroup.remove()
tenant.remove(), slice.remove(), top.remove()
check_clean(TOP)
finish(8)
