"""Server-sent events as a browser reads them."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Event(NamedTuple):
    """id: where the client would go on from, after it."""

    name: str
    id: str
    data: Any


class Parser:
    """last_id: what the client says when it comes back, after the event that was taken last; retry: ms before it
    does; beats: comments so far.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: int | None = None
        self.beats = 0
        self._rest = b""

    def begin(self) -> None:
        """Is told that what is fed from now on comes on a new connection: what was not whole never came."""
        self._rest = b""

    def feed(self, raw: bytes) -> Iterator[Event]:
        """Yields the events that are whole by now, one when it is asked for."""
        *blocks, self._rest = (self._rest + raw).split(b"\n\n")
        for block in blocks:
            if event := self._read(block.decode()):
                yield event

    def _read(self, block: str) -> Event | None:
        name, data = "message", []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match field:
                case "":
                    self.beats += 1
                case "id":
                    self.last_id = value
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "retry" if value.isdecimal():
                    self.retry = int(value)
        return Event(name, self.last_id, json.loads("\n".join(data))) if data else None
