"""python -m bench.peers.shell COMMANDS OWNER: the race's job on our shell, as a process of the product's runs it."""

import sys

from bench.peers.job import Course, service
from infra.process.service import program

if __name__ == "__main__":
    program(service(Course(*sys.argv[1:])))()
