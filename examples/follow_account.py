"""Follows an account until it is ended: `follow_account.py URL NAME`, the password on stdin; a line an event."""

import asyncio
import sys

from ops.client.client import Client


async def follow(url: str, name: str) -> None:
    async with Client(url) as client:
        await client.login(name, sys.stdin.readline().rstrip("\n"))
        async with client.follow("balance", "orders") as events:  # over cuts and restarts
            async for event in events:
                print(events.last_id, event.model_dump_json(include={"event", "data"}), flush=True)


asyncio.run(follow(*sys.argv[1:]))
