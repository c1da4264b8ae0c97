"""Live and history as one view: what is new from the one, what that dropped from the other, no row of a list
twice and none left out between them.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from infra.log.clock import alive_ms
from infra.unavailable import Unavailable

from .port import Ask, Kind, Lagging, Look, NotReady, One, Page, Reading

AGAIN_S = 0.05


class Seam:
    """kept: the kinds of row that the history has too; what it has not is answered by the live view alone.

    patience_ms: how long it waits for a history that lags.
    """

    def __init__(
        self,
        live: Reading,
        history: Reading,
        kept: Collection[Kind[Any]],
        *,
        patience_ms: int = 1_000,
    ) -> None:
        self.live, self.history, self.kept = live, history, frozenset(kept)
        self.partitions = live.partitions
        self.patience_ms = patience_ms

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        """Returns the answers, as of the live view's moment, or the history's while live is away or being built.

        Raises: NotReady or Unavailable if the history can't stand in for the live view, which it can't for a
        listed row that it lacks either; Lagging if it has not yet what the live view dropped.
        """
        try:
            look = await self.live.look(place, account, asks)
        except (NotReady, Unavailable) as failure:
            return await self._stand_in(place, account, asks, failure)
        answers = await asyncio.gather(
            *(
                self._complete(place, account, *answered)
                for answered in zip(asks, look.answers, look.floors, strict=True)
            )
        )
        return Look(look.as_of, answers, [0] * len(asks))

    async def _complete(
        self, place: str, account: str, ask: Ask[Any], answer: Any, floor: int
    ) -> Any:
        """Returns the live view's answer with what it dropped."""
        if not floor or ask.kind not in self.kept:
            return answer
        match ask:
            case One() if answer is None:
                return await self._older(place, account, ask, floor)
            case Page(open=False) if len(answer) < ask.limit:
                before = ask.kind.listed(answer[-1]) if answer else ask.before
                rest = replace(ask, limit=ask.limit - len(answer), before=before)
                return [*answer, *await self._older(place, account, rest, min(floor, before or 0))]
        return answer

    async def _older(self, place: str, account: str, ask: Ask[Any], folded: int) -> Any:
        """Returns the history's answer. Raises: Lagging if it does not come to fold all below that position."""
        topic, until = ask.kind.topic.name, alive_ms() + self.patience_ms
        while True:
            look = await self.history.look(place, account, [ask])
            if look.as_of.positions.get(topic, 0) >= folded:
                return look.answers[0]
            if alive_ms() >= until:
                raise Lagging(f"the history of {topic} at {place}")
            await asyncio.sleep(AGAIN_S)

    async def _stand_in(
        self, place: str, account: str, asks: Sequence[Ask[Any]], failure: Exception
    ) -> Look:
        if any(ask.kind not in self.kept or (isinstance(ask, Page) and ask.open) for ask in asks):
            raise failure
        look = await self.history.look(place, account, asks)
        for ask, answer in zip(asks, look.answers, strict=True):
            if isinstance(ask, One) and ask.kind.newest and answer is None:
                raise failure
        return look
