"""A shell service in a hurry: its hour is a second and its batches of rows are small, so that what is rare comes soon.

Run by `python -m tests.faults.hurried NAME`.
"""

import sys

from infra.shell import partition, snapshot
from ops.stack.processes import enter

if __name__ == "__main__":
    vars(partition).update(HOUR_MS=1_000, INTERVAL_MS=250)
    vars(snapshot).update(ROOM=400)
    enter(sys.argv[1])
