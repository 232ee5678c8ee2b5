#!/usr/bin/python3
# The matrix at the system's level: its memory is taken for each case.
# alone: who waits for a processor meanwhile takes a second victim with him, with the kernel's own choice as well
# vm: --memory 1024
import os

os.environ["LEVELS"] = "system"
import matrix
