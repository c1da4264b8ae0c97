"""A run in full: what is asked, and all that goes wrong. Drawn from a seed, or read from a file."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from events.codec import encode
from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS
from tests.messages.envelope import NOW
from tests.simulation.troubles import TROUBLES, Trouble
from tests.simulation.weather import Weather, weather
from tests.simulation.workload import Sending, workload

TOPICS = {topic.name: topic for topic in (ORDER_COMMANDS, BALANCE_COMMANDS)}


class Crash(NamedTuple):
    """Which life of a process dies, and at which of its crash points, from 1."""

    process: str
    life: int
    point: int


class Case(NamedTuple):
    """seed: of all that is not written here; crashes: the only ones, None: as often as the weather says."""

    seed: int
    weather: Weather
    length_ms: int
    sendings: tuple[Sending, ...]
    troubles: tuple[Trouble, ...]
    crashes: tuple[Crash, ...] | None = None

    def stream(self, *names: object) -> Random:
        """Returns chance for one purpose, which no other purpose uses up."""
        return Random(f"{self.seed} {names}")

    def crash_at(self, process: str, life: int) -> int | None:
        """Returns the point, 0 nowhere, None: where chance will have it."""
        if self.crashes is None:
            return None
        wanted = (one.point for one in self.crashes if one[:2] == (process, life))
        return next(wanted, 0)

    def as_json(self) -> bytes:
        sendings = [
            {"at": at, "topic": topic.name, "command": from_json(encode(command))}
            for at, topic, command in self.sendings
        ]
        body = {**self._asdict(), "weather": self.weather._asdict(), "sendings": sendings}
        body["troubles"] = [trouble._asdict() for trouble in self.troubles]
        if self.crashes is not None:
            body["crashes"] = [crash._asdict() for crash in self.crashes]
        return to_json(body, indent=1)


def case_of(raw: bytes) -> Case:
    """Returns the case that the JSON says."""
    body = from_json(raw)
    crashes: Sequence[Mapping[str, Any]] | None = body["crashes"]
    return Case(
        seed=body["seed"],
        weather=Weather(**body["weather"]),
        length_ms=body["length_ms"],
        sendings=tuple(map(_sending, body["sendings"])),
        troubles=tuple(Trouble(**one) for one in body["troubles"]),
        crashes=None if crashes is None else tuple(Crash(**one) for one in crashes),
    )


def _sending(body: Mapping[str, Any]) -> Sending:
    topic = TOPICS[body["topic"]]
    return Sending(body["at"], topic, topic.decode(to_json(body["command"])))


def drawn(seed: int) -> Case:
    """Returns the seed's run."""
    rng = Random(seed)
    length_ms = rng.choice((2_000, 6_000, 20_000))
    troubles = [
        Trouble(kind, rng.randrange(length_ms), rng.getrandbits(32))
        for kind, (_, chance, most) in TROUBLES.items()
        if rng.randrange(100) < chance
        for _ in range(rng.randint(1, most))
    ]
    return Case(
        seed, weather(rng), length_ms, tuple(workload(rng, NOW, length_ms)), tuple(troubles)
    )
