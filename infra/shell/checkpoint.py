"""Where the inputs stand: it rides on the last record of every batch, and so moves with the events or not at all."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from infra.log.port import TP, Headers

HEADER = "checkpoint"
PREVIOUS = "previous"
"""The header that names where the own batch before began: readers see an intruder."""


class Checkpoint(NamedTuple):
    """positions: next offset of each input; now: the highest record time taken, ms; step: how many steps are
    decided already of the record at the position of the input `unfinished`.
    """

    positions: Mapping[TP, int]
    now: int
    step: int = 0
    unfinished: TP | None = None

    def encode(self) -> bytes:
        """Returns its JSON."""
        positions = [[topic, p, offset] for (topic, p), offset in self.positions.items()]
        body: dict[str, Any] = {"positions": positions, "now": self.now}
        if self.unfinished:
            body |= {"step": self.step, "unfinished": self.unfinished}
        return to_json(body)

    def after(self, earlier: "Checkpoint | None") -> "Checkpoint":
        """Returns this one with the inputs that only the earlier one names."""
        if earlier is None:
            return self
        return self._replace(positions={**earlier.positions, **self.positions})


def decode(raw: bytes) -> Checkpoint:
    """Returns the checkpoint of its JSON. Raises: ValueError, KeyError if it is none."""
    body = from_json(raw)
    positions = {(topic, p): offset for topic, p, offset in body["positions"]}
    unfinished = tuple(body["unfinished"]) if "unfinished" in body else None
    return Checkpoint(positions, body["now"], body.get("step", 0), unfinished)


def carried(headers: Headers) -> Checkpoint | None:
    """Returns the checkpoint in a record's headers, None unless it closes a batch."""
    for name, value in headers:
        if name == HEADER:
            return decode(value)
    return None
