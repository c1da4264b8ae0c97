"""python -m bench.peers.shell COMMANDS OWNER: the race's job on our shell, as a process of the product's runs it."""

import sys

from bench.peers.job import Course, service
from infra.process.service import run_service

if __name__ == "__main__":
    run_service(service(Course(*sys.argv[1:])))
