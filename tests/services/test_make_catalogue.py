"""Making the catalogue of packages that look like the pinned ones."""

import io
import json
import stat
import tarfile
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.make_catalogue import (
    ICONS,
    Listing,
    Token,
    asset,
    newer_tokens,
    older_tokens,
    package,
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


def archive(**files: str) -> tarfile.TarFile:
    """Returns a package with these files; a path's slashes and dots are told by the caller."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as made:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(text.encode())
            made.addfile(entry, io.BytesIO(text.encode()))
    raw.seek(0)
    return tarfile.open(fileobj=raw)


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
    icons = archive(**{"manifest.json": json.dumps(coins), "svg/color/btc.svg": "<svg/>"})
    assert dict(older_tokens(icons)) == {
        "BTC": Token("Bitcoin", None, icon=True),
        "ODD": Token("Oddity", None, icon=False),
    }


def test_the_newer_package_says_what_it_ranks_and_draws() -> None:
    metadata = archive(**{"dist/metadata/tokens.js": TOKENS})
    svgs = archive(**{"dist/svgs/tokens/mono/ETH.svg.js": ""})
    assert dict(newer_tokens(metadata, svgs)) == {
        "ETH": Token("Ethereum", 2, icon=True),
        "NEW": Token("Newcomer", None, icon=False),
    }


def test_a_package_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\nfor folder; do :; done\nprintf x > "$folder/a.tgz"\necho a.tgz\n')
    npm.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match="another checksum than the pinned one"):
        package(ICONS, tmp_path)
