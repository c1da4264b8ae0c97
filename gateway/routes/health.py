"""/health: is the process alive; /health/ready: can it serve, and if not, what is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.deps import PUBLIC, PartsDep
from gateway.route import EdgeRoute
from infra.unavailable import Unavailable

WITHIN = 1  # s
router = APIRouter(prefix="/health", tags=["health"], route_class=EdgeRoute)
State = Literal["up", "down"]


class Health(BaseModel):
    status: State


class Readiness(Health):
    components: dict[str, State]


@router.get("", dependencies=[PUBLIC])
async def alive() -> Health:
    """Returns that the process answers; it asks no store."""
    return Health(status="up")


@router.get("/ready", dependencies=[PUBLIC], responses={503: {"model": Readiness}})
async def ready(parts: PartsDep, response: Response) -> Readiness:
    """Returns 200 if every component answers, else 503; the body names those that don't."""
    states = await asyncio.gather(*(state(ask) for ask in parts.ready.values()))
    if "down" in states:
        response.status_code = 503
    return Readiness(
        status="down" if "down" in states else "up",
        components=dict(zip(parts.ready, states, strict=True)),
    )


async def state(ask: Callable[[], Awaitable[bool]]) -> State:
    """Returns what a component says of itself; none that is late is up."""
    try:
        async with asyncio.timeout(WITHIN):
            return "up" if await ask() else "down"
    except (Unavailable, TimeoutError):
        return "down"
