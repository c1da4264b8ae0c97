"""The demo's client, hung up on while it waits."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.demo.client import Client, NoAnswer

LIMIT = 30  # s


def test_who_hangs_up_gets_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, ThreadPoolExecutor(1) as pool:
        client = Client(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        client.hang_up()  # nothing is under way
        asked = pool.submit(client.ask, "GET", "/api/v1/orders", None, "request-1")
        with deaf.accept()[0] as taken:
            assert taken.recv(4)  # it is sent, and nobody will answer
            client.hang_up()
            with pytest.raises(NoAnswer, match="GET /api/v1/orders"):
                asked.result(LIMIT)
