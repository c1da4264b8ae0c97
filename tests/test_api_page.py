"""docs/api.md is true: its commands run as they stand, one after the other, against a real stack."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.client.sse import Parser
from ops.stack.folder import RunFolder
from tests.shell import run, script

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
LIMIT = 120  # s
STREAM = re.compile(r"retry: \d+\n(?:(?:(?:id|event|data|): .*)?\n)*")


def documents(told: str) -> Iterator[dict[str, Any]]:
    """Yields each answer: curl ends none with a new line."""
    told = told.strip()
    while told:
        document, end = json.JSONDecoder().raw_decode(told)
        yield document
        told = told[end:].lstrip()


@pytest.mark.stack
def test_every_command_of_the_page_is_answered_with_a_yes(stack: RunFolder, tmp_path: Path) -> None:
    gateway = {"ORDERSTREAM": stack.endpoints()["gateway"]}
    told = run(script(PAGE), tmp_path, tmp_path, LIMIT, gateway)
    streams = [list(Parser().feed(said.encode())) for said in STREAM.findall(told)]
    assert [events[0].name for events in streams] == ["snapshot", "prices", "trade"]
    assert streams[0][0].data["balance"]["total"] != "0.00"
    answers = list(documents(STREAM.sub("", told)))
    assert not [answer for answer in answers if "code" in answer]
    orders = [answer for answer in answers if answer.get("client_order_id") == "first"]
    assert {order["status"] for order in orders} == {"filled"}
    assert len({order["id"] for order in orders}) == 1
    [portfolio] = [answer for answer in answers if "positions" in answer]
    assert (portfolio["username"], portfolio["positions"][0]["asset_id"]) == ("grace", "BTC")
    [timeline] = [answer for answer in answers if "steps" in answer]
    assert timeline["steps"][0]["type"] == "place_order"
