"""python -m bench.bare PORT: the yardsticks of the edge, FastAPI routes that check an order and answer it, and answer a
balance.
"""

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


class Balance(BaseModel):
    currency: Literal["USD"] = "USD"
    available: str
    held: str
    total: str


@app.get("/api/v1/balance")
async def balance() -> Balance:
    return Balance(available="12.50", held="0.00", total="12.50")


async def serve(port: int) -> None:
    async with serving(app, "127.0.0.1", port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    calm_collector()
    uvloop.run(serve(int(sys.argv[1])))
