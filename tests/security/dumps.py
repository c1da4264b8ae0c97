"""All that a stack holds or has said, as bytes to look for something in."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis

from infra.stores.dynamodb import connect
from ops.stack.folder import RunFolder


async def topics(stack: RunFolder) -> AsyncIterator[tuple[str, bytes]]:
    """Yields every record of every topic, the broker's own too, with its headers."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.endpoints()["kafka"],
        enable_auto_commit=False,
        exclude_internal_topics=False,
    )
    await consumer.start()
    try:
        tps = await partitions(stack)
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        while [tp for tp in tps if await consumer.position(tp) < ends[tp]]:
            for tp, batch in (await consumer.getmany(timeout_ms=200)).items():
                for record in batch:
                    parts = (record.key, record.value, *(value for _, value in record.headers))
                    yield tp.topic, b"\n".join(part or b"" for part in parts)
    finally:
        await consumer.stop()


async def partitions(stack: RunFolder) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.endpoints()["kafka"])
    await admin.start()
    try:
        told = await admin.describe_topics(await admin.list_topics())
    finally:
        await admin.close()
    return [TopicPartition(one["topic"], p["partition"]) for one in told for p in one["partitions"]]


async def tables(stack: RunFolder) -> AsyncIterator[tuple[str, bytes]]:
    """Yields every item of every table."""
    async with connect(stack.endpoints()["dynamodb"]) as client:
        for name in (await client.list_tables())["TableNames"]:
            async for page in client.get_paginator("scan").paginate(TableName=name):
                for item in page["Items"]:
                    yield name, str(item).encode()


async def keys(stack: RunFolder) -> AsyncIterator[tuple[str, bytes]]:
    """Yields every key of every database of Redis, with what it holds."""
    url = stack.endpoints()["redis"]
    for database in range(16):
        async with Redis.from_url(f"{url}/{database}") as client:
            async for key in client.scan_iter(count=1_000):
                yield f"redis/{database}", key + b"\n" + await held(client, key)


async def held(client: Redis, key: bytes) -> bytes:
    """Returns what the key holds."""
    found: Any
    match await client.type(key):
        case b"string":
            found = await client.get(key)
        case b"hash":
            found = [part for pair in (await client.hgetall(key)).items() for part in pair]
        case b"list":
            found = await client.lrange(key, 0, -1)
        case b"set":
            found = list(await client.smembers(key))
        case b"zset":
            found = await client.zrange(key, 0, -1)
        case b"stream":
            entries: Any = await client.xrange(key)
            found = [part for _, fields in entries for part in fields.values()]
        case other:
            raise ValueError(f"{key!r} is a {other!r}")
    return found if isinstance(found, bytes) else b"\n".join(found)


async def said(stack: RunFolder) -> AsyncIterator[tuple[str, bytes]]:
    """Yields every log, what describes the stack, and every process's metrics."""
    for path in sorted(stack.path.rglob("*")):
        if path.is_file() and not {"data", "keys"} & set(path.relative_to(stack.path).parts):
            yield f"file {path.relative_to(stack.path)}", path.read_bytes()
    command = (sys.executable, "-m", "ops.cli", "status", "--json", "--run-dir", str(stack.path))
    shown = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    yield "status", (await shown.communicate())[0]
    async with httpx2.AsyncClient() as client:
        for name, address in stack.endpoints().items():
            if address.startswith("http") and name != "dynamodb":
                for page in (
                    "/metrics",
                    "/health",
                    "/health/ready",
                    "/openapi.json",
                    "/state-hash",
                ):
                    yield f"{name}{page}", (await client.get(address + page)).content
