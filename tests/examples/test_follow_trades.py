"""The sample consumer of the tape, on a real stack: killed at any moment, it goes on without gap or double."""

import asyncio
import os
import signal
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from events.topics import TRADE_EVENTS
from events.trade import TradeExecuted
from infra.log.kafka import KafkaLog
from infra.shell.reading import is_control
from ops.demo.run import walk
from ops.demo.screen import Screen
from ops.reading import between
from ops.stack.folder import RunFolder

EXAMPLE = Path(__file__).parents[2] / "examples" / "follow_trades.py"
LIVES = 4
LIMIT = 60  # s
Place = tuple[int, int]


async def tape(kafka: str, partitions: int = 2) -> dict[Place, TradeExecuted]:
    """Returns the trades that stand in the log now, by partition and offset."""
    log = KafkaLog(kafka)
    try:
        ends = await log.bounds([(TRADE_EVENTS.name, p) for p in range(partitions)])
        return {
            (record.partition, record.offset): TRADE_EVENTS.decode(record.value or b"")
            async for record in between(log, ends)
            if not is_control(record)
        }
    finally:
        await log.stop()


async def live(kafka: str, file: Path) -> None:
    """Runs the example until it has told of a trade, then kills it, whatever it is at."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        kafka,
        str(file),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout
        assert await process.stdout.readline(), "it ended"
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def told(file: Path) -> dict[Place, str]:
    """Returns what the file tells of each trade. Raises: AssertionError if it tells of one twice."""
    lines = [line.split(maxsplit=2) for line in file.read_text().splitlines()]
    trades = {(int(p), int(offset)): trade for p, offset, trade in lines}
    assert len(trades) == len(lines)
    return trades


@pytest.mark.stack
async def test_each_trade_is_told_once_however_often_it_is_killed(
    stack: RunFolder, tmp_path: Path
) -> None:
    endpoints, file = stack.endpoints(), tmp_path / "trades"
    async with asyncio.timeout(LIMIT):
        for _ in range(LIVES):
            await walk(endpoints, Screen(Console(file=StringIO())))  # a buy and a sell
            await live(endpoints["kafka"], file)
        trades = await tape(endpoints["kafka"])
        while trades.keys() - told(file).keys():
            await live(endpoints["kafka"], file)
    lines = told(file)
    assert lines.keys() >= trades.keys()
    for place, trade in trades.items():
        side, quantity, asset_id, _, price, _ = lines[place].split()
        assert (side, asset_id) == (trade.side, trade.asset_id)
        assert Decimal(quantity) * 10**trade.scale == trade.quantity
        assert Decimal(price) * 10**trade.price_scale == trade.price


def test_it_is_as_short_as_it_says() -> None:
    assert len([line for line in EXAMPLE.read_text().splitlines() if line]) <= 25
