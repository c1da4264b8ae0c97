"""What a search, a pattern and an order of rows may cost: row 46 of the security table."""

import re
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import pytest

from events.codec import stamp
from gateway.app import routed
from gateway.catalogue import Quoted
from gateway.openapi import describe
from gateway.sorting import Filter
from tests.messages.markets import ASSETS

from .conftest import BASE, Client

LONG = "a" * 4_096 + "!"
QUICKLY_S = 0.02
PATH = f"{BASE}/inventory/assets"


async def test_s46_a_long_search_is_none(client: Client) -> None:
    for text in ("a" * 4_000 + "!", "é" * 65, "x" * 65):
        answer = await client.get(
            PATH, params={"search": text[:600] if "é" in text else text[:4_000]}
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query/search")
    assert (await client.get(PATH, params={"search": "a" * 64})).status_code == 200


@pytest.mark.parametrize(
    "text", [".*", "(a+)+$", "[", "\\", "%", "_", "'; --", "a\0b", "{{7*7}}", "$gt"]
)
async def test_s46_a_search_is_a_text_and_no_pattern(client: Client, text: str) -> None:
    answer = await client.get(PATH, params={"search": text})
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_s46_a_search_looks_once_at_each_name() -> None:
    wanted = Filter("a" * 63 + "?", None, None, None)
    quoted = Quoted(stamp(ASSETS[0], name=LONG), None, tradable=True)
    begun = perf_counter()
    assert not wanted.matches(quoted)
    assert perf_counter() - begun < QUICKLY_S


@pytest.mark.parametrize(
    "sort", ["__class__", "password_hash", "rank;drop", "-", "--rank", "rank,name", ""]
)
async def test_s46_what_may_be_sorted_by_is_listed(client: Client, sort: str) -> None:
    answer = await client.get(PATH, params={"sort": sort})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "query/sort")


def patterns(document: Any) -> Iterator[str]:
    """Yields every pattern that an input is checked with."""
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        for value in document.values():
            yield from patterns(value)
    if isinstance(document, list):
        for value in document:
            yield from patterns(value)


def test_s46_no_pattern_takes_long_over_a_long_text() -> None:
    found = set(patterns(describe(routed())))
    assert len(found) > 5
    for pattern in found:
        for text in (
            LONG,
            "0" * 4_096 + "!",
            "a." * 2_048 + "!",
            "a@" + "a." * 2_047 + "!",
            "b:1," * 1_024,
        ):
            begun = perf_counter()
            re.search(pattern, text)
            assert perf_counter() - begun < 5 * QUICKLY_S, pattern
