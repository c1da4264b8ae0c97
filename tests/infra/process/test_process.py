"""A process's life from outside: its health, its lines of JSON, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

PROCESS = """
import asyncio, logging, structlog
from infra.process import run
from infra.process.server import serve_admin
from infra.process.settings import Settings

ready = {{"log": False}}

async def main(settings, stop):
    async with serve_admin(settings, lambda: ready):
        structlog.contextvars.bind_contextvars(partition=1)
        logging.getLogger("driver").warning("from the %s", "driver", extra={{"attempt": 2}})
        asyncio.get_running_loop().add_signal_handler(10, ready.update, {{"log": True}})
        print("started", flush=True)
        {body}

run.DRAIN_LIMIT = 0.3
run.run_process(main, Settings)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(body: str, port: int) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """Yields a process that serves and then does what the body says, and the lines it logged."""
    environ = {"ORDERSTREAM_ADMIN_PORT": str(port), "ORDERSTREAM_PROCESS": "sample"}
    with subprocess.Popen(
        [sys.executable, "-c", dedent(PROCESS).format(body=body)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: list[dict[str, Any]] = []
        try:
            lines += map(json.loads, iter(process.stdout.readline, "started\n"))
            yield process, lines
            lines += map(json.loads, process.stdout)
        finally:
            process.kill()


def get(port: int, path: str) -> tuple[int, bytes]:
    """Returns status and body, asking again while nobody listens yet."""
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except HTTPError as refused:
            return refused.code, refused.read()
        except URLError:
            continue


def test_health_says_whether_it_is_ready_and_metrics_what_it_uses() -> None:
    port = free_port()
    with running("await stop.wait()", port) as (process, _):
        assert get(port, "/health") == (200, b'{"process": "sample"}')
        assert get(port, "/health/ready") == (503, b'{"ready": false, "parts": {"log": false}}')
        process.send_signal(signal.SIGUSR1)
        while get(port, "/health/ready")[0] == 503:
            pass
        metrics = get(port, "/metrics")[1].decode()
        assert 'orderstream_process_info{process="sample",version=' in metrics
        assert "process_resident_memory_bytes" in metrics
        assert get(port, "/")[0] == 404
        process.terminate()


def test_each_line_is_an_object_with_what_is_known_at_that_moment() -> None:
    with running("await stop.wait()", free_port()) as (process, lines):
        process.terminate()
    first = next(line for line in lines if line["logger"] == "driver")
    known = {"process": "sample", "level": "warning", "partition": 1, "attempt": 2}
    assert first.items() >= known.items()
    assert first["message"] == "from the driver"
    assert lines[-1]["message"] == "process_drained"


@pytest.mark.parametrize(
    ("number", "body", "code", "message"),
    [
        (signal.SIGTERM, "await stop.wait()", 0, "process_drained"),
        (signal.SIGINT, "await stop.wait()", 0, "process_drained"),
        (signal.SIGTERM, "await asyncio.sleep(60)", 1, "process_not_drained"),
        (signal.SIGTERM, "await stop.wait(); raise SystemExit(0)", 1, "process_failed"),
    ],
)
def test_it_drains_or_dies(number: signal.Signals, body: str, code: int, message: str) -> None:
    with running(body, free_port()) as (process, lines):
        process.send_signal(number)
        assert process.wait(20) == code
    assert message in [line["message"] for line in lines]


def test_what_it_can_not_handle_is_logged_and_ends_it() -> None:
    with running("raise KeyError('lost')", free_port()) as (process, lines):
        assert process.wait(20) == 1
    assert lines[-1]["message"] == "process_failed"
    assert "KeyError: 'lost'" in lines[-1]["exception"]


def test_it_dies_at_once_whatever_its_threads_are_at() -> None:
    stuck = "asyncio.get_running_loop().run_in_executor(None, __import__('time').sleep, 60)"
    with running(f"{stuck}; raise KeyError('lost')", free_port()) as (process, lines):
        assert process.wait(20) == 1
    assert lines[-1]["message"] == "process_failed"


def test_a_port_is_never_shared() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        script = dedent(PROCESS).format(body="await stop.wait()")
        environ = {**os.environ, "ORDERSTREAM_ADMIN_PORT": str(taken.getsockname()[1])}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environ,
            capture_output=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert b"Address already in use" in done.stdout
