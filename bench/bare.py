"""python -m bench.bare PORT: the yardstick of the edge, a FastAPI route that checks an order and answers it."""

import asyncio
import sys
from typing import Literal

import uvloop
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from infra.process.run import calm_collector
from infra.process.server import serving

app = FastAPI()


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    asset_id: str
    side: Literal["buy", "sell"]
    type: Literal["market"]
    notional: str


@app.post("/api/v1/orders", status_code=201)
async def place_order(body: Order) -> Order:
    return body


async def serve(port: int) -> None:
    async with serving(app, "127.0.0.1", port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    calm_collector()
    uvloop.run(serve(int(sys.argv[1])))
