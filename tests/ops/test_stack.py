"""The commands, on real servers: up, down, status, logs, reset, and what killing does to them."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from ops.stack import leftovers
from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down, reset, up
from ops.stack.processes import SERVICES

pytestmark = pytest.mark.stack
LIMIT = 60.0  # s
SERVERS = ("kafka", "dynamodb", "redis")


def orderstream(
    folder: RunFolder, *command: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Returns what the command said and how it ended."""
    name, *rest = command
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", name, "--run-dir", str(folder.path), *rest],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def until(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds. Raises: TimeoutError."""
    deadline = monotonic() + LIMIT
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError
        sleep(0.02)


def pids(folder: RunFolder) -> dict[str, int]:
    """Returns the pid of each process that lives, by name, by the mark that it carries."""
    return {name: process.pid for process, name in leftovers.marked(folder)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """Yields a folder whose stack is stopped at the end, whatever the test did."""
    made = RunFolder(tmp_path / "run")
    yield made
    down(made)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Yields the folder of the three servers, started by the command."""
    made = RunFolder(tmp_path_factory.mktemp("servers"))
    started = orderstream(made, "up", "--only", ",".join(SERVERS), "--any-ports")
    assert started.returncode == 0, started.stderr
    yield made
    down(made)
    assert not pids(made)


def test_status_says_what_runs_and_where(servers: RunFolder) -> None:
    shown = orderstream(servers, "status", "--json")
    status: dict[str, Any] = json.loads(shown.stdout)
    assert shown.returncode == 0
    assert set(status["endpoints"]) == set(SERVERS)
    assert [process["name"] for process in status["processes"]] == list(SERVERS)
    for process in status["processes"]:
        assert set(process) == {"name", "pid", "state", "restarts"}
        assert process["state"] == "running"
        assert psutil.pid_exists(process["pid"])
    assert status["endpoints"] == servers.read("endpoints.json")
    assert "running" in orderstream(servers, "status").stdout


def test_up_again_changes_nothing_and_says_so(servers: RunFolder) -> None:
    before = pids(servers)
    again = orderstream(servers, "up", "--only", "kafka")
    assert again.returncode == 0
    assert "up already" in again.stdout
    assert servers.endpoints()["kafka"] in again.stdout
    assert pids(servers) == before


def test_up_with_more_than_runs_is_refused(servers: RunFolder) -> None:
    refused = orderstream(servers, "up")
    assert refused.returncode == 1
    assert "stop it first" in refused.stderr


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_on_its_port_and_status_counts_it(
    servers: RunFolder, name: str
) -> None:
    before, endpoints = servers.status(), servers.endpoints()
    killed = next(process for process in before.processes if process.name == name)
    assert killed.pid
    os.kill(killed.pid, signal.SIGKILL)

    def is_back() -> bool:
        now = next(process for process in servers.status().processes if process.name == name)
        return now.restarts == killed.restarts + 1 and now.state == "running"

    until(is_back)
    assert servers.endpoints() == endpoints
    assert pids(servers)[name] != killed.pid


def test_logs_are_shown(servers: RunFolder) -> None:
    assert "stack_starting" in orderstream(servers, "logs", "supervisor", "-n", "1000").stdout
    unknown = orderstream(servers, "logs", "nobody")
    assert unknown.returncode == 1
    assert "kafka" in unknown.stderr


def redis(folder: RunFolder, *command: str) -> str:
    """Returns the first line of Redis's answer."""
    port = int(folder.endpoints()["redis"].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall((" ".join(command) + "\r\n").encode())
        return connection.recv(100).decode().splitlines()[0]


def test_data_and_ports_outlive_down_and_up_but_not_reset(folder: RunFolder) -> None:
    endpoints = up(folder, only=["redis"], any_ports=True).endpoints
    assert redis(folder, "SET", "key", "value") == "+OK"
    assert down(folder)
    assert orderstream(folder, "status", "--json").returncode == 3
    assert up(folder, only=["redis"], any_ports=True).endpoints == endpoints
    assert redis(folder, "EXISTS", "key") == ":1"
    reset(folder)
    assert not pids(folder)
    up(folder, only=["redis"], any_ports=True)
    assert redis(folder, "EXISTS", "key") == ":0"


def test_reset_asks_first(folder: RunFolder) -> None:
    up(folder, only=["redis"], any_ports=True)
    assert orderstream(folder, "reset").returncode == 1  # there is nobody to answer
    assert folder.is_up
    assert orderstream(folder, "reset", "--yes").returncode == 0
    assert not folder.is_up


def test_down_twice_leaves_nothing(folder: RunFolder) -> None:
    up(folder, only=SERVERS, any_ports=True)
    assert set(pids(folder)) == {"supervisor", *SERVERS}
    assert down(folder)
    assert not pids(folder)
    assert not down(folder)


def kill_supervisor(folder: RunFolder) -> None:
    os.kill(pids(folder)["supervisor"], signal.SIGKILL)
    until(lambda: not folder.is_up)


def test_down_finds_what_a_killed_supervisor_left(folder: RunFolder) -> None:
    up(folder, only=SERVERS, any_ports=True)
    kill_supervisor(folder)
    assert orderstream(folder, "status", "--json").returncode == 3
    assert set(pids(folder)) == set(SERVERS)
    assert down(folder)
    assert not pids(folder)


def test_up_after_a_killed_supervisor_adopts_nothing(folder: RunFolder) -> None:
    endpoints = up(folder, only=["redis"], any_ports=True).endpoints
    redis(folder, "SET", "key", "value")
    left = psutil.Process(pids(folder)["redis"])
    kill_supervisor(folder)
    assert up(folder, only=["redis"], any_ports=True).endpoints == endpoints
    assert not leftovers.lives(left)
    assert redis(folder, "EXISTS", "key") == ":1"


def test_two_stacks_run_side_by_side(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    try:
        one, two = up(folder, only=["redis"]), up(other, only=["redis"])  # both want 6379
        assert one.endpoints != two.endpoints
        down(folder)
        assert other.status().is_ready
        assert set(pids(other)) == {"supervisor", "redis"}
    finally:
        down(other)


def test_a_taken_port_is_replaced(folder: RunFolder) -> None:
    first = up(folder, only=["redis"], any_ports=True).endpoints["redis"]
    down(folder)
    with socket.create_server(("127.0.0.1", int(first.rsplit(":", 1)[1]))):
        second = up(folder, only=["redis"], any_ports=True).endpoints["redis"]
    assert second != first


def test_a_server_named_in_the_environment_is_not_started(folder: RunFolder) -> None:
    named = {"ORDERSTREAM_KAFKA": "broker.example:9092"}
    started = orderstream(folder, "up", "--only", "kafka,redis", "--any-ports", **named)
    assert started.returncode == 0, started.stderr
    assert folder.endpoints()["kafka"] == "broker.example:9092"
    assert set(pids(folder)) == {"supervisor", "redis"}


def test_what_does_not_come_up_is_named_with_its_last_words(folder: RunFolder) -> None:
    failed = orderstream(folder, "up", "--only", "kafka", "--any-ports", ORDERSTREAM_JVM="steam")
    assert failed.returncode == 1
    assert "kafka did not come up" in failed.stderr
    assert "'steam': one of fast-start, full" in failed.stderr
    assert not pids(folder)


def test_an_unknown_name_is_refused(folder: RunFolder) -> None:
    refused = orderstream(folder, "up", "--only", "kafak")
    assert refused.returncode == 1
    assert "kafak" in refused.stderr


def test_killed_services_come_back_and_drain(folder: RunFolder) -> None:
    up(folder, only=SERVICES, any_ports=True)
    running = pids(folder)
    for name in SERVICES:
        os.kill(running[name], signal.SIGKILL)

    def are_back() -> bool:
        status = folder.status()
        restarts = [each.restarts for each in status.processes if each.name in SERVICES]
        return status.is_ready and all(restarts)

    until(are_back)
    down(folder)
    for name in SERVICES:
        assert "process_drained" in folder.log(name).read_text()


def test_ctrl_c_during_up_leaves_nothing(folder: RunFolder) -> None:
    command = [sys.executable, "-m", "ops.cli", "up", "--run-dir", str(folder.path), "--any-ports"]
    with subprocess.Popen([*command, "--only", "kafka"], stdout=subprocess.DEVNULL) as starting:
        until(lambda: "kafka" in pids(folder))
        starting.send_signal(signal.SIGINT)
        assert starting.wait(LIMIT) == 130
    assert not pids(folder)


def test_a_stack_ends_with_its_owner(folder: RunFolder) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        up(folder, only=["redis"], any_ports=True, owner=owner.pid)
        owner.kill()
    until(lambda: not pids(folder))
