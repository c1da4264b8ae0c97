"""Reads: how far the view must have come for whoever asks, and what he has already, which is not sent again."""

import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx2
from pydantic import BaseModel
from pydantic_core import from_json

from .answers import WAIT
from .calls import Calls

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
PART = re.compile(r"([a-z]):([0-9]+)")
MARKET = "m"
"""The letter of what is public; all others are of accounts."""
Least = Mapping[str, int]
"""By the first letter of a topic, the offset that a view must have come to."""
ANY: Least = {}


class Had(NamedTuple):
    """tag: the edge's, of all but the moment; answer: as it was decoded."""

    tag: str
    answer: Any


class Kept:
    """The last answers, by what was asked. most: how many.

    One client serves another user without a leak: a tag is of what is shown, so 304 is said only to who would be
    shown the same.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._had: OrderedDict[object, Had] = OrderedDict()

    def of(self, asked: object) -> Had | None:
        if asked in self._had:
            self._had.move_to_end(asked)
        return self._had.get(asked)

    def keep(self, asked: object, had: Had) -> None:
        self._had[asked] = had
        self._had.move_to_end(asked)
        if len(self._had) > self._most:
            self._had.popitem(last=False)


class Reads:
    """kept: answers that are asked for again only in case they have changed; least: where views must have come; wait: s
    for which one request waits for that.

    All raise Problem; NoAnswer. A view that is behind is a Problem with view_behind once the wire's patience ends.
    """

    def __init__(
        self, calls: Calls, kept: Kept | None = None, least: Least = ANY, wait: int = WAIT
    ) -> None:
        self._calls, self._kept, self._least, self._wait = calls, kept or Kept(0), least, wait

    def at_least(self, positions: Iterable[str], wait: int) -> "Reads":
        """Returns reads that show no less than these positions do, nor than they did. Raises: ValueError."""
        return Reads(self._calls, self._kept, furthest(self._least, positions), wait)

    async def one(self, model: type[M], path: str, *, public: bool = False) -> M:
        """Returns what is there. public: it takes no session."""
        return await self._read(model.model_validate_json, path, {}, public=public)

    async def pages(
        self, model: type[M], path: str, query: Mapping[str, Any], *, public: bool = False
    ) -> AsyncIterator[M]:
        """Yields each of a list, page by page."""

        def page(content: bytes) -> tuple[list[M], str | None]:
            told = from_json(content)
            return [model.model_validate(item) for item in told["items"]], told["next_cursor"]

        cursor = None
        while True:
            items, cursor = await self._read(page, path, {**query, "cursor": cursor}, public=public)
            for item in items:
                yield item
            if cursor is None:
                return

    def least(self, *, public: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
        """Returns what of a query and of headers says how far the view must have come, and has the edge wait for it."""
        named = {topic: at for topic, at in self._least.items() if (topic == MARKET) == public}
        if not named:
            return {}, {}
        position = ",".join(f"{topic}:{at}" for topic, at in sorted(named.items()))
        return {"min_position": position}, {"Prefer": f"wait={self._wait}"}

    async def _read(
        self, decode: Callable[[bytes], T], path: str, query: Mapping[str, Any], *, public: bool
    ) -> T:
        least, headers = self.least(public=public)
        query = {**query, **least}
        asked = (path, *sorted((name, str(value)) for name, value in query.items()))
        had = self._kept.of(asked)
        if had:
            headers["If-None-Match"] = had.tag
        ask = self._calls.wire.ask if public else self._calls.ask
        answer = await ask("GET", path, query=query, headers=headers)
        if had and answer.status_code == httpx2.codes.NOT_MODIFIED:
            kept: T = had.answer
            return kept
        decoded = decode(answer.content)
        if tag := answer.headers.get("etag"):
            self._kept.keep(asked, Had(tag, decoded))
        return decoded


def furthest(least: Least, positions: Iterable[str]) -> Least:
    """Returns what is as far as each of them. Raises: ValueError if one is no position."""
    found = dict(least)
    for position in positions:
        for part in filter(None, position.split(",")):
            if not (pair := PART.fullmatch(part)):
                raise ValueError(f"{position!r} is no position: those are such as b:7,o:12")
            found[pair[1]] = max(int(pair[2]), found.get(pair[1], 0))
    return found
