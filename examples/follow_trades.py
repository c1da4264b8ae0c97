"""Follows the tape: `follow_trades.py HOST:PORT FILE`. The file gets each trade once and says where to go on."""

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from aiokafka import AIOKafkaConsumer


async def follow(bootstrap: str, file: TextIO) -> None:
    done = {int(p): int(offset) for p, offset, *_ in map(str.split, file)}
    async with AIOKafkaConsumer("trade.events.v1", bootstrap_servers=bootstrap) as tape:
        for tp in tape.assignment():
            tape.seek(tp, done.get(tp.partition, -1) + 1)
        async for record in tape:
            if ("kind", b"control") not in record.headers:  # those are its writer's books
                t = json.loads(record.value)
                quantity = Decimal(t["quantity"]).scaleb(-t["scale"])
                price = Decimal(t["price"]).scaleb(-t["price_scale"])
                trade = f"{t['side']} {quantity:f} {t['asset_id']} at {price:f} USD"
                print(record.partition, record.offset, trade, file=file, flush=True)  # one write
                print(trade, flush=True)


with Path(sys.argv[2]).open("a+") as opened:
    opened.seek(0)
    asyncio.run(follow(sys.argv[1], opened))
