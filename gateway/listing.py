"""Lists: newest first, a page at a time, stable while new rows arrive, for a cursor stands at a log position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from events.envelope import SAFE_INTEGER, Value
from infra.views.port import AsOf, Kind, Page

from .as_of import AsOfView
from .reading import Reader, Reads
from .times import Moment, milliseconds

R = TypeVar("R", bound=Value)
T = TypeVar("T")
LIMIT, MOST = 50, 200
LOOKS = 10  # of MOST rows each, for a page of those that a filter lets through

Limit = Annotated[int, Query(ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(max_length=128)]


class Listing(BaseModel, Generic[T]):
    """next_cursor: leads to the rest; null: that was all. A page of a filtered list may be short of its limit."""

    items: list[T]
    next_cursor: str | None
    as_of: AsOfView


class Found(NamedTuple, Generic[R]):
    """cursor: to what comes below the rows, None if nothing does."""

    as_of: AsOf
    rows: Sequence[R]
    cursor: str | None


class Span(NamedTuple):
    """Times in ms since the epoch: from start on, before end."""

    start: int
    end: int

    def __contains__(self, time: object) -> bool:
        return isinstance(time, int) and self.start <= time < self.end


EVER = Span(0, SAFE_INTEGER)


@dataclass(frozen=True)
class Lister:
    """One page of one of the account's lists, as the request asks for it."""

    reads: Reader
    limit: int
    cursor: str | None
    span: Span

    async def find(
        self, kind: Kind[R], scope: str = "", *, is_open: bool = False, **equal: object
    ) -> Found[R]:
        """Returns the first page of rows below the cursor that were made in the span and have these fields equal,
        None: whatever they are. Its cursor is good for the same question alone. is_open: only open ones, which the
        live view alone can tell.

        Raises: Refused with invalid_cursor; NotReady, Lagging, Unavailable.
        """
        asked = {name: value for name, value in equal.items() if value is not None}
        account_id, cursors = self.reads.account.id, self.reads.parts.cursors
        bound = (account_id, kind.name, scope, is_open, *self.span, *sorted(asked.items()))
        before = int(cursors.open(self.cursor, *bound)) if self.cursor else None
        size = MOST if asked or self.span != EVER else self.limit

        def fits(row: Any) -> bool:
            same = all(getattr(row, name) == value for name, value in asked.items())
            return same and row.created_at in self.span

        rows: list[R] = []
        for look in range(1, LOOKS + 1):
            as_of, page = await self.reads.view.read(
                account_id, Page(kind, size, before, scope, is_open)
            )
            rows += [row for row in page.rows if fits(row)][: self.limit - len(rows)]
            full = len(rows) == self.limit
            last = rows[-1] if full else page.rows[-1] if page.rows else None
            before = kind.listed(last) if last else before
            if full or not page.more or look == LOOKS:
                break
        rest = page.more or (full and last is not page.rows[-1])
        return Found(as_of, rows, cursors.seal(str(before), *bound) if rest else None)


async def lister(
    reads: Reads,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
) -> Lister:
    """Returns the page of the caller's list that is asked for."""
    span = Span(milliseconds(start) if start else 0, milliseconds(end) if end else EVER.end)
    return Lister(reads, limit, cursor, span)


Lists = Annotated[Lister, Depends(lister)]
