#!/usr/bin/python3
# All that node.py checks, of the agent in the DaemonSet's pod.
# vm: --memory 1024
# takes 70
import os
import runpy
import subprocess

subprocess.run(["mount", "--make-rshared", "/"], check=True)
os.environ["AGENT"] = "pod"
runpy.run_path(os.path.dirname(os.path.abspath(__file__)) + "/node.py", run_name="__main__")
