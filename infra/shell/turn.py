"""One record batch in the making: what a turn appends."""

from collections.abc import Sequence

from infra.log.port import Batch, Draft, Headers

from .emission import Emitted

RESERVE = 4_096
"""Bytes of a batch kept free for what rides on its last record."""
OVERHEAD = 320
"""Bytes that a record of ours takes beside its value, at most."""


class Turn:
    """A batch whose last record is held back: the checkpoint rides on it. inputs: how many it takes; answers: the ids
    of the commands that it answers, in their order.
    """

    def __init__(self, batch: Batch, first: int) -> None:
        self.batch, self.first, self.count = batch, first, 0
        self.inputs = 0
        self.answers: dict[str, None] = {}
        self._held: Draft | None = None

    def __len__(self) -> int:
        return self.count

    def fits(self, emitted: Sequence[Emitted]) -> bool:
        """Returns whether the events go in with what rides on the last."""
        size = RESERVE + (len(self._held.value or b"") + OVERHEAD if self._held else 0)
        for _, draft in emitted:
            size += len(draft.value or b"") + OVERHEAD
        return size <= self.batch.free

    def add(self, draft: Draft) -> int:
        """Returns the offset at which the record will stand."""
        if self._held is not None:
            self.batch.add(self._held)
        self._held = draft
        self.count += 1
        return self.first + self.count - 1

    def close(self, headers: Headers) -> Batch:
        """Returns the batch, whose last record has the headers too."""
        assert self._held is not None
        self.batch.add(self._held._replace(headers=(*self._held.headers, *headers)))
        self._held = None
        return self.batch
