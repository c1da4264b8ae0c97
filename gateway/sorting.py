"""How the catalogue is sorted and filtered. A page ends at an asset, and at the price that it had: the next begins
behind that.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from fastapi import Query

from .catalogue import Catalogue, Quoted
from .decimals import PATTERN
from .problems import Refused

Sort = Literal["rank", "-rank", "name", "-name", "symbol", "-symbol", "price", "-price"]
Price = Annotated[str | None, Query(pattern=PATTERN, examples=["12.50"])]
Text = Annotated[str | None, Query(max_length=64)]
Key = tuple[int, ...]
DIGITS = 18
"""Behind the point, for prices of all assets to be compared."""


class Filter(NamedTuple):
    """What of the catalogue is wanted, None: whatever it is. Prices: decimal strings; what has none has no price."""

    search: str | None
    category: str | None
    min_price: str | None
    max_price: str | None

    def matches(self, quoted: Quoted) -> bool:
        asset, text = quoted.asset, (self.search or "").casefold()
        named = text in asset.name.casefold() or text in asset.asset_id.casefold()
        return named and self.category in (None, asset.category) and self._costs(quoted)

    def _costs(self, quoted: Quoted) -> bool:
        if self.min_price is None and self.max_price is None:
            return True
        price = price_of(quoted)
        low, high = exact(self.min_price or "0"), exact(self.max_price or "9" * 16)
        return price is not None and low <= price <= high


async def filtered(
    search: Text = None, category: Text = None, min_price: Price = None, max_price: Price = None
) -> Filter:
    return Filter(search, category, min_price, max_price)


def exact(decimal: str) -> int:
    """Returns a plain decimal string with DIGITS behind the point."""
    whole, _, part = decimal.partition(".")
    return int(whole + part.ljust(DIGITS, "0"))


def price_of(quoted: Quoted) -> int | None:
    """Returns the price with DIGITS behind the point, None if there is none yet."""
    asset, seen = quoted.asset, quoted.seen
    return seen.price * int(10 ** (DIGITS - asset.price_scale)) if seen else None


def key(quoted: Quoted, sort: Sort, price: int | None) -> Key:
    """Returns what assets are sorted by: what has no rank or price comes last, equal ones by symbol."""
    asset, by, down = quoted.asset, sort.removeprefix("-"), sort.startswith("-")
    symbol = spelled(asset.asset_id, down=False)
    match by:
        case "name":
            return (*spelled(asset.name.casefold(), down=down), *symbol)
        case "symbol":
            return tuple(spelled(asset.asset_id, down=down))
        case _:
            number = price if by == "price" else asset.rank
            return (number is None, -(number or 0) if down else number or 0, *symbol)


def spelled(text: str, *, down: bool) -> Iterator[int]:
    """Yields numbers that compare as texts do, a beginning of a text before it; down: the other way round."""
    yield from (-ord(character) if down else ord(character) for character in text)
    yield 1 if down else 0


def spot(quoted: Quoted) -> str:
    """Returns where a page ends, for its cursor."""
    price = price_of(quoted)
    return f"{quoted.asset.asset_id}:{'' if price is None else price}"


def behind(spot: str, sort: Sort, catalogue: Catalogue) -> Key:
    """Returns the key of a page's end. Raises: Refused."""
    asset_id, _, price = spot.partition(":")
    quoted = catalogue.quote(asset_id)
    if quoted is None:
        raise Refused("invalid_cursor")
    return key(quoted, sort, int(price) if price else None)
