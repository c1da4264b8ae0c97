"""Live and history as one view: what is new from the one, what that dropped from the other, no row of a list
twice and none left out between them.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from infra.log.clock import alive_ms
from infra.unavailable import Unavailable

from .port import Ask, AsOf, Kind, Lagging, Look, NotReady, One, Page, Reading

AGAIN_S = 0.05
Missing = tuple[int, int]
"""What a live view may lack: below its floor in the list, and what was over an age before that time."""
Enough = Callable[[AsOf], bool]
"""Whether a history that is that far has all that a live view dropped."""


def up_to(ask: Ask[Any], position: int) -> Enough:
    topic = ask.kind.topic.name
    return lambda as_of: as_of.positions.get(topic, 0) >= position


def since(time: int) -> Enough:
    """time: ms, to which the live view dropped what was over."""
    return lambda as_of: as_of.time >= time


class Renewed(NamedTuple):
    answer: Any


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
        answers, time = list(look.answers), look.as_of.time
        lacking = {
            n: self._rest(place, account, asks[n], answers[n], (floor, time))
            for n, floor in enumerate(look.floors)
            if self._lacks(asks[n], answers[n], floor)
        }
        if lacking:
            for n, whole in zip(lacking, await asyncio.gather(*lacking.values()), strict=True):
                answers[n] = whole
        return Look(look.as_of, answers, [0] * len(asks))

    def _lacks(self, ask: Ask[Any], answer: Any, floor: int) -> bool:
        """Returns whether the live view's answer may lack what that has dropped."""
        match ask:
            case One():
                lacks = answer is None and (floor > 0 or ask.aged)
            case Page(open=False):
                lacks = floor > 0 and len(answer) < ask.limit
            case _:
                lacks = False
        return lacks and ask.kind in self.kept

    async def _rest(
        self, place: str, account: str, ask: Ask[Any], answer: Any, missing: Missing
    ) -> Any:
        """Returns the live view's answer with what it dropped."""
        floor, time = missing
        if not isinstance(ask, Page):
            age = ask.kind.younger
            dropped = since(time - age) if age else up_to(ask, floor)
            return await self._older(place, account, ask, dropped)
        before = ask.kind.listed(answer[-1]) if answer else ask.before
        rest = replace(ask, limit=ask.limit - len(answer), before=before)
        older = up_to(rest, min(floor, before or 0))
        return [*answer, *await self._older(place, account, rest, older)]

    async def _older(self, place: str, account: str, ask: Ask[Any], enough: Enough) -> Any:
        """Returns the history's answer. Raises: Lagging if it does not come to have folded enough: what the live view
        dropped, to its end.
        """
        until = alive_ms() + self.patience_ms
        while True:
            look = await self.history.look(place, account, [ask])
            answer = look.answers[0]
            if enough(look.as_of) and (new := await self._renewed(place, account, ask, answer)):
                return new.answer
            if alive_ms() >= until:
                raise Lagging(f"the history of {ask.kind.topic.name} at {place}")
            await asyncio.sleep(AGAIN_S)

    async def _renewed(
        self, place: str, account: str, ask: Ask[Any], answer: Any
    ) -> Renewed | None:
        """Returns the history's answer with rows that are open as the live view has them, which has all of those.

        None: one is over there, so the history lags.
        """
        kind, rows = ask.kind, answer if isinstance(ask, Page) else [answer]
        if not kind.opens or not any(row and kind.is_open(row) for row in rows):
            return Renewed(answer)
        if not isinstance(ask, Page):
            return None  # the live view was asked for it before
        newest = replace(ask, limit=len(rows), open=True)
        look = await self.live.look(place, account, [newest])
        known = {kind.listed(row): row for row in look.answers[0]}
        new = [known.get(kind.listed(row)) if kind.is_open(row) else row for row in rows]
        return None if None in new else Renewed(new)

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
