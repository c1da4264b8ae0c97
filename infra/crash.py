"""Crash points: where a test build kills itself, because a restart must heal a death at any moment.

ORDERSTREAM_CRASH=acknowledged:3 has the process die there at its third passing, as by kill -9. A point is passed
once a turn, a snapshot, a take-over, a command at the edge or a batch of a view, never once a record; when none is
armed, passing it does nothing.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Self


class Point(StrEnum):
    """Every point, and what is done and what is not when it is passed."""

    # A turn. Nothing leaves the process between a decision and its batch: decide, fold and encode are one stretch.
    FETCHED = "fetched"  # inputs are taken, none is decided
    DECIDED = "decided"  # decided and folded, the checkpoint not put on
    ENCODED = "encoded"  # the batch is closed, not sent
    ACKNOWLEDGED = "acknowledged"  # it stands, the process has not counted it
    BEFORE_FETCH = "before_fetch"  # all is counted, the next inputs are not asked for
    SET_ASIDE = "set_aside"  # poison stands in its dead-letter topic, the own log doesn't say so

    # A snapshot.
    SNAPSHOT_HALF = "snapshot_half"  # one of several batches of rows, or of tombstones, is written
    SNAPSHOT_UNCLOSED = "snapshot_unclosed"  # every row is, the closing record is not
    SNAPSHOT_CLOSED = "snapshot_closed"  # that is, the tombstones are not

    # The hourly fence.
    REFENCE_BEGUN = "refence_begun"
    REFENCE_HALF = "refence_half"  # events are fenced anew, the side's topics are not

    # A take-over: of the side's topics first, then of the events.
    INITIALISED = "initialised"  # the first of two epochs is there, no marker
    MARKED = "marked"  # the markers are, the second epoch is not
    CLAIMED = "claimed"  # one more topic is
    READING = "reading"  # one more fetch of a snapshot or of own events is in
    ROWS_READ = "rows_read"  # the snapshot is, no own event
    EVENTS_READ = "events_read"  # both are, the inputs are not sought
    SOUGHT = "sought"  # the inputs are

    # A command at the edge.
    EDGE_HELD = "edge_held"  # it is remembered under its names, not published
    EDGE_PUBLISHED = "edge_published"  # it stands in the log, nobody has noted that
    EDGE_SETTLED = "edge_settled"  # what it came to is known or waited for long enough, the client has no answer

    # A batch of a view's rows.
    VIEW_FOLDED = "view_folded"  # it is folded, not written
    VIEW_WRITTEN = "view_written"  # it is written, the projector has not counted it


class Crash(NamedTuple):
    """passing: at which one the process dies, from 1."""

    point: Point
    passing: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns the crash named by POINT:N. Raises: ValueError if it is none."""
        point, _, passing = text.partition(":")
        if point not in set(Point) or not (passing.isdecimal() and int(passing)):
            raise ValueError(f"no crash is {text!r}: POINT:N, N from 1, of {', '.join(Point)}")
        return cls(Point(point), int(passing))

    def dies(self) -> Callable[[Point], None]:
        """Returns what to do at each passing: count those of the point, die at the last."""
        left = self.passing

        def pass_by(point: Point) -> None:
            nonlocal left
            left -= point is self.point
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        return pass_by


_armed: Callable[[Point], None] | None = None


def arm(pass_by: Callable[[Point], None] | None) -> None:
    """Has every passing of a point call this."""
    global _armed  # noqa: PLW0603 - a process dies once, wherever in it that is
    _armed = pass_by


def passed(point: Point) -> None:
    if _armed is not None:
        _armed(point)
