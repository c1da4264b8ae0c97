"""What the product fetches from others, which is nothing: row 48 of the security table.

Prices come from a simulated source in the market's own process. A source elsewhere comes with rules of its own: the
hosts that it may ask, no redirects, a time and a size. What is no price is refused whatever the source.
"""

import ast
from pathlib import Path
from typing import Any

import pytest

from events.codec import Poison
from events.envelope import SAFE_INTEGER
from events.market import Quote
from events.topics import PRICES
from services.market.domain import Told, quotes
from tests.messages.markets import ticked

ROOT = Path(__file__).parents[2]
FETCHERS = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "httpx2",
    "requests",
    "smtplib",
    "urllib.request",
    "urllib3",
}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_s48_nothing_that_serves_fetches_anything() -> None:
    paths = [
        p
        for name in ("events", "gateway", "services", "infra")
        for p in (ROOT / name).rglob("*.py")
    ]
    fetching = {str(p.relative_to(ROOT)): imported(p) & FETCHERS for p in paths}
    # The one asks loopback whether its own process is ready.
    assert {name: used for name, used in fetching.items() if used} == {
        "infra/process/healthy.py": {"http.client"}
    }


WRONG: list[Any] = [
    *(
        0,
        -1,
        SAFE_INTEGER,
        10**400,
        1.5,
        float("nan"),
        float("inf"),
        "1",
        "NaN",
        True,
        None,
        "<html>",
    ),
    *(600_000, 6_000_000, 6_000, 1),
]
"""The last ones: ten times too much or too little."""


@pytest.mark.parametrize("price", WRONG, ids=lambda price: str(price)[:12])
def test_s48_what_a_source_gets_wrong_is_not_told_and_the_last_price_grows_stale(
    price: Any,
) -> None:
    told = {"BTC": Told(60_000, 1), "ETH": Told(3_000, 1)}
    for tick in range(2, 20):
        assert quotes(told, {"BTC": price, "ETH": 3_001}, tick) == (
            Quote(asset_id="ETH", price=3_001),
        )
    assert quotes(told, {"BTC": 60_001}, 20) == (Quote(asset_id="BTC", price=60_001),)


@pytest.mark.parametrize(
    "price", [b"NaN", b"Infinity", b"-1", b"0", b"1.5", b'"1"', b"null", b"9007199254740992"]
)
def test_s48_nor_does_anybody_read_it(price: bytes) -> None:
    good = PRICES.encode(ticked(BTC=12345))
    assert PRICES.decode(good).type == "price_ticked"
    with pytest.raises(Poison):
        PRICES.decode(good.replace(b"12345", price))
