"""/health: is the process alive; /health/ready: can it serve, and if not, what is away."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.deps import PUBLIC, PartsDep
from gateway.route import EdgeRoute

router = APIRouter(prefix="/health", tags=["health"], route_class=EdgeRoute)
State = Literal["up", "down"]


class Health(BaseModel):
    status: State


class ReadinessView(Health):
    components: dict[str, State]


@router.get("", dependencies=[PUBLIC])
async def alive() -> Health:
    """Returns that the process answers; no store is asked."""
    return Health(status="up")


@router.get("/ready", dependencies=[PUBLIC], responses={503: {"model": ReadinessView}})
async def ready(parts: PartsDep, response: Response) -> ReadinessView:
    """Returns 200 if every component answers, else 503; the body names those that don't."""
    answering = parts.ready()
    if not all(answering.values()):
        response.status_code = 503
    return ReadinessView(
        status=state(all(answering.values())),
        components={name: state(up) for name, up in answering.items()},
    )


def state(up: bool) -> State:
    return "up" if up else "down"
