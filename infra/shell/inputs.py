"""The order of inputs: of all buffered heads the lowest record time, never past an input that may hold a lower one."""

from collections import deque
from collections.abc import Mapping, Sequence

from infra.log.port import TP, Reader, Record

FULL = 20_000
"""Records buffered of one input from which on no more of it are fetched."""
NEVER = 2**63


class Inputs:
    """The buffered records of each input, and where each stands."""

    def __init__(self, reader: Reader, positions: Mapping[TP, int]) -> None:
        self.reader = reader
        self.buffers: dict[TP, deque[Record]] = {tp: deque() for tp in positions}
        self.positions: dict[TP, int] = dict(positions)
        self._paused: set[TP] = set()
        self._run: tuple[deque[Record], int] | None = None

    async def fetch(self, wait_ms: int) -> bool:
        """Returns whether anything came in."""
        fetched: Mapping[TP, Sequence[Record]] = await self.reader.fetch(wait_ms)
        self._run = None
        for tp, records in fetched.items():
            buffer = self.buffers[tp]
            buffer.extend(records)
            if len(buffer) >= FULL and tp not in self._paused:
                self._paused.add(tp)
                self.reader.pause([tp])
        return bool(fetched)

    def head(self, unfinished: TP | None = None) -> Record | None:
        """Returns the record to be taken next, None if there is none yet that may be taken.

        Ties go by the order of declaration. An empty input lets others pass only while it is known to be drained.
        An input whose record is decided in part goes first.
        """
        if unfinished:
            return self.buffers[unfinished][0] if self.buffers[unfinished] else None
        if self._run:
            buffer, bound = self._run
            if buffer and buffer[0].timestamp <= bound:
                return buffer[0]
        self._run = self._next_run()
        return self._run[0][0] if self._run else None

    def _next_run(self) -> tuple[deque[Record], int] | None:
        """Returns the buffer whose head comes next and the record time up to which it stays so."""
        best: deque[Record] | None = None
        bound = NEVER
        for tp, buffer in self.buffers.items():
            if not buffer:
                if not self.reader.drained(tp):
                    return None
                self.positions[tp] = max(self.positions[tp], self.reader.position(tp))
                continue
            time = buffer[0].timestamp
            if best is None:
                best = buffer
            elif time < best[0].timestamp:  # those before it win ties
                best, bound = buffer, best[0].timestamp - 1
            else:
                bound = min(bound, time)
        return None if best is None else (best, bound)

    def take(self, record: Record) -> None:
        """Takes the head: its input stands behind it from now on."""
        tp = (record.topic, record.partition)
        buffer = self.buffers[tp]
        buffer.popleft()
        self.positions[tp] = record.offset + 1
        if tp in self._paused and len(buffer) < FULL // 2:
            self._paused.discard(tp)
            self.reader.resume([tp])

    def drained(self) -> bool:
        """Returns whether nothing was left at the end of any input in an answer of this last second."""
        return all(map(self.reader.drained, self.buffers))

    def waiting(self) -> int:
        """Returns how many records are buffered."""
        return sum(map(len, self.buffers.values()))
