"""Buys for some dollars and shows what came of it: `place_order.py URL NAME ASSET DOLLARS`, the password on stdin."""

import asyncio
import sys

from ops.client.client import Client
from ops.client.errors import Problem


async def place(url: str, name: str, asset_id: str, dollars: str) -> None:
    async with Client(url) as client:
        await client.login(name, sys.stdin.readline().rstrip("\n"))
        expected = await client.preview(asset_id, "buy", notional=dollars)
        print(f"{expected.quantity} {asset_id} at {expected.price} USD expected")
        order = await (await client.place_order(asset_id, "buy", notional=dollars)).wait()
        print(f"{order.filled_quantity} {asset_id} at {order.average_price} USD, fee {order.fee}")
        for step in (await client.timeline(order.id)).steps:
            print(
                f"{step.latency_ms:4} ms  {step.type}  {step.topic}/{step.partition}@{step.offset}"
            )


try:
    asyncio.run(place(*sys.argv[1:]))
except Problem as refused:
    sys.exit(str(refused))  # nothing was bought
