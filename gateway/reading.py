"""Reading: who reads, and from which position of the log on the view is new enough for him.

A client that has seen a position, on another device or through another gateway, asks for no older view.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Response

from infra.views.port import MARKET, Ask, AsOf, Look, Reading, View

from .asking import Preference, preference
from .deps import PUBLIC, Account, Admin, Customer, Parts, parts_of
from .moves import Moves
from .problems import Refused, invalid

PAIR = re.compile(r"([a-z]):([0-9]+)")
Least = Mapping[str, int]
"""By the first letter of a topic, the offset that the view must have come to: the next to be shown."""
OfAccount = Annotated[
    str | None,
    Query(
        alias="min_position",
        pattern=r"^[bopu]:[0-9]{1,15}(,[bopu]:[0-9]{1,15}){0,3}$",
        description="The view must have come to this `position`, or a part of one.",
        examples=["b:7,o:12,p:3"],
    ),
]
OfMarket = Annotated[
    str | None,
    Query(
        alias="min_position",
        pattern=r"^m:[0-9]{1,15}$",
        description="The prices must have come to this `position`.",
        examples=["m:1200"],
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`wait=N`: how many seconds it may take to come to `min_position`.",
        examples=["wait=5"],
    ),
]


class Patient:
    """A Reading that waits until the view has come far enough. wait: s."""

    def __init__(self, reading: Reading, moves: Moves, least: Least, wait: int) -> None:
        self.reading, self.moves, self.least, self.wait = reading, moves, least, wait
        self.partitions = reading.partitions

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        """Returns what the view has then. Raises: Refused with view_behind if it does not come that far in time;
        NotReady, Lagging, Unavailable.
        """

        async def new_enough() -> Look | None:
            look = await self.reading.look(place, account, asks)
            return look if reaches(look.as_of, self.least) else None

        look = await self.moves.until(place, self.wait, new_enough)
        if look is None:
            raise Refused("view_behind")
        return look


@dataclass(frozen=True)
class Reader:
    """view: as new as the client asked for."""

    account: Account
    parts: Parts
    view: View


async def reader(
    request: Request,
    response: Response,
    account: Customer,
    least: OfAccount = None,
    prefer: Prefer = None,
) -> Reader:
    """Returns who reads, and his view. Raises: Refused, Unavailable as `customer` does."""
    return reads(request, response, account, least, prefer)


async def admin_reader(
    request: Request,
    response: Response,
    account: Admin,
    least: OfAccount = None,
    prefer: Prefer = None,
) -> Reader:
    """Returns which admin reads, and his view. Raises: Refused, Unavailable as `admin` does."""
    return reads(request, response, account, least, prefer)


def reads(
    request: Request, response: Response, account: Account, least: str | None, prefer: str | None
) -> Reader:
    parts = parts_of(request)
    if least is None:
        return Reader(account, parts, parts.view)
    wait = applied(prefer, response).wait
    moves = parts.edge.outcomes.moves
    return Reader(account, parts, View(Patient(parts.view.reading, moves, pairs(least), wait)))


async def passer_by(
    request: Request,
    response: Response,
    _: Annotated[None, PUBLIC],
    least: OfMarket = None,
    prefer: Prefer = None,
) -> Parts:
    """Returns the parts, once the catalogue is as new as asked for. Raises: Refused if it is not in time."""
    parts = parts_of(request)
    if least is not None:
        catalogue, needed = parts.catalogue, pairs(least)

        async def new_enough() -> AsOf | None:
            return catalogue.as_of if reaches(catalogue.as_of, needed) else None

        wait = applied(prefer, response).wait
        if await catalogue.moves.until(MARKET, wait, new_enough) is None:
            raise Refused("view_behind")
    return parts


def applied(prefer: str | None, response: Response) -> Preference:
    """Returns what the client prefers, which the answer then says."""
    asked = preference(prefer)
    if asked.applied:
        response.headers["Preference-Applied"] = asked.applied
    return asked


def pairs(position: str) -> Least:
    """Returns a position by its letters. Raises: Refused if one is there twice."""
    found = [(letter, int(offset)) for letter, offset in PAIR.findall(position)]
    if len(dict(found)) < len(found):
        raise invalid("query/min_position", "given_twice", "A topic may be named once only")
    return dict(found)


def reaches(as_of: AsOf, least: Least) -> bool:
    """Returns whether a view that is so far is new enough."""
    at = {topic[0]: position for topic, position in as_of.positions.items()}
    return all(at.get(letter, 0) >= position for letter, position in least.items())


Reads = Annotated[Reader, Depends(reader)]
AdminReads = Annotated[Reader, Depends(admin_reader)]
Anybody = Annotated[Parts, Depends(passer_by)]
