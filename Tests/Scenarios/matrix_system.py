#!/usr/bin/python3
# The matrix at the system's level: its memory is taken for each case.
# vm: --memory 512
# takes 45
import os

os.environ["LEVELS"] = "system"
import matrix
