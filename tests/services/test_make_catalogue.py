"""Making the catalogue, of packages that are laid out as the pinned ones are."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.make_catalogue import (
    Listing,
    Token,
    asset,
    newer_tokens,
    older_tokens,
    opened,
    tokens,
)

BTC = Listing("BTC", "layer-1", Decimal(60_000), 21_000_000)
TOKENS = """export const tokens = [
  {
    id: 'ether',
    symbol: 'eth',
    name: 'Ethereum',
    marketCapRank: 2,
    filePath: 'token:ETH',
  },
  {
    symbol: 'x',
    name: 'Nameless',
  },
  {
    symbol: 'new',
    name: 'Newcomer',
    marketCapRank: 0,
    filePath: 'token:NEW',
  },
];
"""


COINS = {
    "manifest.json": json.dumps([{"symbol": "BTC", "name": "Bitcoin"}]),
    "svg/color/btc.svg": "<svg/>",
}
METADATA = {"dist/metadata/tokens.js": TOKENS}
SVGS = {"dist/svgs/tokens/mono/ETH.svg.js": ""}


def packed(files: Mapping[str, str]) -> bytes:
    """Returns a package with these files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as made:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(text.encode())
            made.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()


def archive(files: Mapping[str, str]) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(packed(files)))


def test_a_line_keeps_five_digits_of_a_price_and_a_cent_of_a_quantity() -> None:
    assert asset(BTC, Token("Bitcoin", 1, icon=True)) == {
        "asset_id": "BTC",
        "name": "Bitcoin",
        "category": "layer-1",
        "scale": 8,
        "price_scale": 3,
        "listing_price": 60_000_000,
        "tick_size": 10,
        "min_quantity": 10,
        "supply": 21_000_000,
        "rank": 1,
    }
    unranked = asset(BTC._replace(supply=None), Token("Bitcoin", None, icon=True))
    assert not {"supply", "rank"} & unranked.keys()


def test_what_nobody_draws_is_not_listed() -> None:
    with pytest.raises(ValueError, match="BTC has no icon"):
        asset(BTC, Token("Bitcoin", 1, icon=False))


def test_the_older_package_says_what_it_draws() -> None:
    coins = [{"symbol": "BTC", "name": "Bitcoin"}, {"symbol": "ODD", "name": "Oddity"}]
    icons = archive({**COINS, "manifest.json": json.dumps(coins)})
    assert dict(older_tokens(icons)) == {
        "BTC": Token("Bitcoin", None, icon=True),
        "ODD": Token("Oddity", None, icon=False),
    }


def test_the_newer_package_says_what_it_ranks_and_draws() -> None:
    assert dict(newer_tokens(archive(METADATA), archive(SVGS))) == {
        "ETH": Token("Ethereum", 2, icon=True),
        "NEW": Token("Newcomer", None, icon=False),
    }


def test_a_package_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "icons.tgz"
    path.write_bytes(packed(COINS))
    with opened(path, hashlib.sha256(packed(COINS)).hexdigest()) as package:
        assert package.getnames() == [f"package/{name}" for name in COINS]
    with pytest.raises(ValueError, match=r"icons\.tgz has another checksum than the pinned one"):
        opened(path, "0" * 64)


def test_of_two_packages_the_newer_names_a_symbol() -> None:
    assert tokens(archive(COINS), archive(METADATA), archive(SVGS)) == {
        "BTC": Token("Bitcoin", 1, icon=True),
        "ETH": Token("Ethereum", 2, icon=True),
        "NEW": Token("Newcomer", None, icon=False),
    }
