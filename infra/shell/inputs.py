"""The order of inputs: of all buffered heads the lowest record time, never past an input that may hold a lower one."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from infra.crash import Point, passed
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

    async def fetch(self, wait_ms: int) -> bool:
        """Returns whether anything came in."""
        fetched: Mapping[TP, Sequence[Record]] = await self.reader.fetch(wait_ms)
        for tp, records in fetched.items():
            buffer = self.buffers[tp]
            buffer.extend(records)
            if len(buffer) >= FULL and tp not in self._paused:
                self._paused.add(tp)
                self.reader.pause([tp])
        if fetched:
            passed(Point.FETCHED)
        return bool(fetched)

    def heads(self, unfinished: TP | None = None) -> Iterator[Record]:
        """Yields the records that may be taken, in their order; to ask for the next one is to take the one before.

        Ties go by the order of declaration. An empty input lets others pass only while it is known to be drained.
        An input whose record is decided in part goes first.
        """
        run = (unfinished, 0) if unfinished else self._next_run()
        while run:
            tp, bound = run
            buffer, positions = self.buffers[tp], self.positions
            if not buffer:
                return  # what is decided in part has yet to be fetched again
            more = True
            while more:
                record = buffer[0]
                yield record
                buffer.popleft()
                positions[tp] = record.offset + 1
                more = bool(buffer) and buffer[0].timestamp <= bound
            run = self._next_run()

    def take(self, record: Record) -> None:
        """Takes the head on its own: its input stands behind it from now on."""
        tp = (record.topic, record.partition)
        self.buffers[tp].popleft()
        self.positions[tp] = record.offset + 1

    def _next_run(self) -> tuple[TP, int] | None:
        """Returns the input whose head comes next and the record time up to which it stays so."""
        best: TP | None = None
        first, bound = NEVER, NEVER
        for tp, buffer in self.buffers.items():
            if not buffer:
                if not self.reader.drained(tp):
                    return None
                self.positions[tp] = max(self.positions[tp], self.reader.position(tp))
                continue
            time = buffer[0].timestamp
            if time < first:  # those before it win ties
                best, first, bound = tp, time, min(bound, first - 1)
            else:
                bound = min(bound, time)
        return None if best is None else (best, bound)

    def resume(self) -> None:
        """Has those fetched again whose buffer has room."""
        roomy = [tp for tp in self._paused if len(self.buffers[tp]) < FULL // 2]
        if roomy:
            self._paused.difference_update(roomy)
            self.reader.resume(roomy)

    def drained(self) -> bool:
        """Returns whether nothing was left at the end of any input in an answer of this last second."""
        return all(map(self.reader.drained, self.buffers))

    def waiting(self) -> int:
        """Returns how many records are buffered."""
        return sum(map(len, self.buffers.values()))
