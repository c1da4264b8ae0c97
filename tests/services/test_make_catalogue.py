"""Making the catalogue of packages that look like the pinned ones."""

import hashlib
import io
import json
import re
import stat
import tarfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.make_catalogue import (
    ICONS,
    METADATA,
    SHA256,
    SVGS,
    Listing,
    Token,
    asset,
    newer_tokens,
    older_tokens,
    package,
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


ETHER = "dist/svgs/tokens/mono/ETH.svg.js"
FILES = {
    ICONS: {
        "manifest.json": json.dumps([{"symbol": "BTC", "name": "Bitcoin"}]),
        "svg/color/btc.svg": "<svg/>",
    },
    METADATA: {"dist/metadata/tokens.js": TOKENS},
    SVGS: {ETHER: ""},
}
NPM = """#!/bin/sh
for folder; do :; done
file=$(echo "$2" | tr -c 'a-z0-9\\n' -).tgz
cp "$(dirname "$0")/$file" "$folder" && echo "$file"
"""
"""Of npm what packing needs: it takes packages from the folder that it lies in."""


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


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the folder from which npm takes packages."""
    (tmp_path / "npm").write_text(NPM)
    (tmp_path / "npm").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for spec, files in FILES.items():
        (tmp_path / f"{re.sub('[^a-z0-9]', '-', spec)}.tgz").write_bytes(packed(files))
    return tmp_path


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
    icons = archive({**FILES[ICONS], "manifest.json": json.dumps(coins)})
    assert dict(older_tokens(icons)) == {
        "BTC": Token("Bitcoin", None, icon=True),
        "ODD": Token("Oddity", None, icon=False),
    }


def test_the_newer_package_says_what_it_ranks_and_draws() -> None:
    assert dict(newer_tokens(archive(FILES[METADATA]), archive(FILES[SVGS]))) == {
        "ETH": Token("Ethereum", 2, icon=True),
        "NEW": Token("Newcomer", None, icon=False),
    }


def test_a_package_that_is_not_the_pinned_one_is_refused(registry: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ValueError, match="another checksum than the pinned one"):
        package(ICONS, into)


@pytest.mark.usefixtures("registry")
def test_of_two_packages_the_newer_names_a_symbol(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec, files in FILES.items():
        monkeypatch.setitem(SHA256, spec, hashlib.sha256(packed(files)).hexdigest())
    assert tokens() == {
        "BTC": Token("Bitcoin", 1, icon=True),
        "ETH": Token("Ethereum", 2, icon=True),
        "NEW": Token("Newcomer", None, icon=False),
    }
