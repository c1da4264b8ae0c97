"""What an audit came to: as JSON for a program, as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from infra.log.port import TP, Bounds

from .check import Check, Violation


class Line(NamedTuple):
    """An invariant. checked: how much was examined; skipped: why it was not, if it was not."""

    code: str
    says: str
    checked: int
    violated: int
    skipped: str | None


class Report(NamedTuple):
    """offsets: what was audited of each partition; since: of each topic that forgets, the time (ms) of the first
    record that it still has; at_rest: whether the services were; events: records folded; readers: the client libraries
    that read them, too.
    """

    lines: Sequence[Line]
    violations: Sequence[Violation]
    offsets: Mapping[TP, Bounds]
    since: Mapping[str, int]
    at_rest: bool
    events: int
    seconds: float
    cpu_seconds: float
    readers: Sequence[str]

    @property
    def empty(self) -> Sequence[Line]:
        """Returns the invariants that applied, of which nothing was there to be examined."""
        return [line for line in self.lines if not line.checked and line.skipped is None]

    @property
    def is_clean(self) -> bool:
        return not self.violations and not self.empty

    def as_json(self) -> dict[str, Any]:
        return {
            "violations": [violation._asdict() for violation in self.violations],
            "violated": {line.code: line.violated for line in self.lines if line.violated},
            "checked": {line.code: line.checked for line in self.lines if line.skipped is None},
            "skipped": {line.code: line.skipped for line in self.lines if line.skipped},
            "offsets": {f"{topic}-{p}": list(span) for (topic, p), span in self.offsets.items()},
            "from": dict(self.since),
            "at_rest": self.at_rest,
            "events": self.events,
            "readers": list(self.readers),
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "events_per_second": round(self.events / max(self.cpu_seconds, 0.001)),
        }


def lines_of(checks: Sequence[Check], *, at_rest: bool) -> list[Line]:
    """Returns a line for each check, by number."""
    return [
        Line(c.code, c.says, c.checked, c.violated, skipped(c, at_rest=at_rest))
        for c in sorted(checks, key=lambda check: int(check.code[1:]))
    ]


def skipped(check: Check, *, at_rest: bool) -> str | None:
    if check.unapplied:
        return check.unapplied
    return None if at_rest or check.at_any_time else "the services are at work"


def violations_of(checks: Sequence[Check], *, at_rest: bool) -> list[Violation]:
    """Returns what was told, of the checks that counted."""
    counted = [check for check in checks if skipped(check, at_rest=at_rest) is None]
    return [violation for check in counted for violation in check.told]
