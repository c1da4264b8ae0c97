"""The edge put together: the one place that knows every route, and of what its parts are made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from infra.process.run import run_process
from infra.process.server import serve_admin, serving
from infra.process.settings import Settings
from infra.publisher import publishing
from infra.stores import dynamodb, sessions
from infra.stores.sessions import RedisSessions
from infra.stores.users import NOBODY, DynamoUsers

from . import problems
from .audit import Trail
from .auth import Passwords, Tokens, ensure_development_key, load_keys
from .deps import Parts
from .entrance import Entrance
from .readiness import Readiness
from .route import EdgeRoute, Unguarded
from .routes import auth, docs, health
from .times import now

ROUTERS = (auth.router, health.router, docs.router)


def create_app(parts: Parts) -> FastAPI:
    """Returns the edge on the given parts. Raises: Unguarded if a route has no policy."""
    app = FastAPI(
        title="orderstream",
        summary="Order processing for crypto assets on an event log.",
        version=version("orderstream"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    for router in ROUTERS:  # flat: the routes of an included router are matched twice
        app.router.routes.extend(router.routes)
    app.add_middleware(Entrance)
    problems.install(app)
    require_policies(app)
    return app


def require_policies(app: FastAPI) -> None:
    """Raises: Unguarded if something answers that is no EdgeRoute, which can't be made without a policy."""
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, EdgeRoute):
            raise Unguarded(f"{context.path}: not an EdgeRoute")


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Parts]:
    """Returns the parts of a process, on the servers that its settings name, while the block runs."""
    keys = settings.run_dir / "keys"
    if settings.env == "development":
        ensure_development_key(keys)
    async with (
        dynamodb.connect(settings.dynamodb) as table,
        sessions.connect(settings.sessions) as redis,
        publishing(settings.kafka, settings.partition_count) as publisher,
        asyncio.TaskGroup() as background,
    ):
        users, open_sessions = DynamoUsers(table), RedisSessions(redis)
        trail = Trail(users, publisher)
        ready = Readiness(
            {
                "users": partial(users.by_id, NOBODY),
                "sessions": partial(open_sessions.find, NOBODY),
            }
        )
        tasks = [
            background.create_task(trail.keep_sweeping(now)),
            background.create_task(ready.keep_asking()),
        ]
        yield Parts(
            users=users,
            sessions=open_sessions,
            passwords=Passwords(),
            tokens=Tokens(load_keys(keys), now),
            trail=trail,
            now=now,
            ready=ready,
        )
        for task in tasks:
            task.cancel()


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Returns once it was asked to stop and every request under way is answered."""
    async with (
        connected(settings) as parts,
        serve_admin(settings, parts.ready),
        serving(create_app(parts), settings.host, settings.gateway_port),
    ):
        await stop.wait()


def main() -> None:
    run_process(serve)
