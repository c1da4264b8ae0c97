"""A customer's HTTP: one request, its answer, how long that took."""

import json
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from socket import SHUT_RDWR
from time import perf_counter_ns, time_ns
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PATIENCE_S = 15


class NoAnswer(Exception):
    """The gateway did not answer, or not in HTTP."""


class Answer(NamedTuple):
    """sent_ms: when it was asked, ms since the epoch; took_us: until the whole answer was here."""

    status: int
    body: Any
    sent_ms: int
    took_us: int


class Client:
    """Speaks to the gateway at the URL; token: of the session, once there is one."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self.token: str | None = None
        self._connection: HTTPConnection | None = None

    def ask(self, method: str, path: str, body: dict[str, str] | None, request_id: str) -> Answer:
        """Returns the answer, whatever its status. Raises: NoAnswer."""
        headers = {"X-Request-ID": request_id, "Prefer": "wait=10"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection = HTTPConnection(self._host, timeout=PATIENCE_S)
        sent_ms, began = time_ns() // 1_000_000, perf_counter_ns()
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            raw = answer.read()
            took_us = (perf_counter_ns() - began) // 1_000
            return Answer(answer.status, json.loads(raw or b"null"), sent_ms, took_us)
        except (OSError, HTTPException, ValueError) as fault:
            raise NoAnswer(f"{method} {path}: {fault!r}") from fault
        finally:
            connection.close()

    def hang_up(self) -> None:
        """Ends a request under way in another thread: it gets no answer."""
        if self._connection and self._connection.sock:
            with suppress(OSError):
                self._connection.sock.shutdown(SHUT_RDWR)
