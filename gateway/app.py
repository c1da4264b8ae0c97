"""The edge put together: the one place that knows every route, and of what its parts are made."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from infra.process.run import Program
from infra.process.server import serve_admin, serving
from infra.process.settings import Settings
from infra.publisher import publishing
from infra.stores import dynamodb, sessions
from infra.stores.failures import RedisFailures
from infra.stores.idempotency import RedisTries
from infra.stores.limits import Buckets
from infra.stores.sessions import Knock, RedisSessions, Sessions
from infra.stores.users import NOBODY, DynamoUsers, Users
from infra.views import live
from infra.views.history import HistoryStore
from infra.views.live import LiveStore
from infra.views.port import Input, View, inputs
from infra.views.seam import Seam

from .audit import Trail
from .auth import Passwords, Tokens, ensure_development_key, load_keys
from .catalogue import Catalogue
from .cursors import Cursors
from .deps import Door, Parts, Streams
from .edge import Edge
from .entrance import Entrance
from .hearing import Hearing
from .paths import settle
from .projections.projection import Projection
from .rates import Rates, rates_of
from .readiness import Components, Readiness
from .repeats import Repeats
from .route import EdgeRoute, Unguarded
from .routes import (
    admin,
    assets,
    auth,
    balance,
    closing,
    docs,
    health,
    inventory,
    market,
    orders,
    portfolio,
    previews,
    profile,
    stream,
    timelines,
    trades,
)
from .settings import GatewaySettings
from .streaming import Hub
from .ticker import Ticker
from .times import now
from .views import HISTORY, LIVE
from .waiting import Outcomes

ROUTERS = (  # what is asked most comes first: routes are tried in this order
    orders.router,
    balance.router,
    portfolio.router,
    assets.router,
    trades.router,
    timelines.router,
    previews.router,
    inventory.router,
    stream.router,
    market.router,
    auth.router,
    profile.router,
    closing.router,
    admin.router,
    health.router,
    docs.router,
)


def create_app(parts: Parts) -> Entrance:
    """Returns the edge on the given parts. Raises: Unguarded if a route has no policy."""
    app = routed()
    app.state.parts = parts
    door = parts.door
    return Entrance(app, door.origins, hosts=door.hosts, https=door.https)


def routed() -> FastAPI:
    """Returns every route, yet without the parts that they work with. Raises: Unguarded."""
    app = FastAPI(
        title="orderstream",
        summary="Order processing for crypto assets on an event log.",
        version=version("orderstream"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:  # flat: the routes of an included router are matched twice
        app.router.routes.extend(router.routes)
    require_policies(app)
    settle([route for route in app.router.routes if isinstance(route, EdgeRoute)])
    return app


def require_policies(app: FastAPI) -> None:
    """Raises: Unguarded if something answers that is no EdgeRoute, which can't be made without a policy."""
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, EdgeRoute):
            raise Unguarded(f"{context.path}: not an EdgeRoute")


@asynccontextmanager
async def connected(settings: GatewaySettings) -> AsyncIterator[Parts]:
    """Returns the parts of a process, on the servers that its settings name, while the block runs."""
    keys = settings.run_dir / "keys"
    if settings.env != "production":
        ensure_development_key(keys)
    async with (
        dynamodb.connect(settings.dynamodb) as table,
        sessions.connect(settings.sessions) as allowed,
        live.connect(settings.redis) as redis,
        publishing(settings.kafka, settings.partition_count) as publisher,
    ):
        users, open_sessions = DynamoUsers(table), RedisSessions(allowed)
        new = LiveStore(redis, *folded(LIVE, settings))
        old = HistoryStore(table, *folded(HISTORY, settings))
        hub, trail = Hub(open_sessions, now), Trail(users, publisher, now)
        catalogue = Catalogue(View(new), hub.wake_public)
        ready = Readiness(asked(users, open_sessions, catalogue))
        async with (
            following(new, hub, catalogue) as outcomes,
            working(trail.keep_sweeping(), ready.keep_asking()),
        ):
            yield Parts(
                users=users,
                sessions=open_sessions,
                failures=RedisFailures(allowed),
                door=door(settings),
                passwords=Passwords(),
                tokens=Tokens(load_keys(keys), now),
                trail=trail,
                edge=Edge(publisher, Repeats(RedisTries(redis), new, old, now), outcomes),
                view=View(Seam(new, old, {projection.kind for projection in HISTORY})),
                streams=Streams(new, hub, Ticker(catalogue)),
                catalogue=catalogue,
                cursors=Cursors(settings.cursor_key.get_secret_value().encode()),
                limits=settings.limits,
                now=now,
                ready=ready,
            )


def door(settings: GatewaySettings) -> Door:
    return Door(
        rates=Rates(rates_of(settings.env, settings.rates)),
        buckets=Buckets(now),
        proxies=settings.trusted_proxies,
        origins=settings.origins,
        https=settings.env == "production",
        hosts=settings.hosts,
    )


@asynccontextmanager
async def following(view: LiveStore, hub: Hub, catalogue: Catalogue) -> AsyncIterator[Outcomes]:
    """Has all hear of what the live view shows, while the block runs. Returns who waits for outcomes."""
    hearing = Hearing(view)
    outcomes = Outcomes(view, hearing)
    async with working(
        hearing.keep_hearing(),
        outcomes.follow(),
        hub.follow(hearing),
        hub.follow_endings(),
        catalogue.follow(hearing),
        catalogue.keep_looking(),
    ):
        yield outcomes


def asked(users: Users, sessions: Sessions, catalogue: Catalogue) -> Components:
    """Returns what must answer before anybody is served."""
    return {
        "users": partial(users.by_id, NOBODY),
        "sessions": partial(sessions.admit, Knock(NOBODY)),
        "market": catalogue.told,
    }


def folded(
    projections: Iterable[Projection[Any]], settings: Settings
) -> tuple[Sequence[Input], int]:
    """Returns the partitions that a view folds, and how many an account topic has."""
    topics = dict.fromkeys(projection.kind.topic for projection in projections)
    return inputs(topics, settings.partition_count), settings.partition_count


@asynccontextmanager
async def working(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Does these beside the block, while that runs. Raises: what any of them raised."""
    async with asyncio.TaskGroup() as background:
        tasks = [background.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


async def serve(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Returns once it was asked to stop and every request under way is answered."""
    async with (
        connected(settings) as parts,
        serve_admin(settings, parts.ready),
        serving(create_app(parts), settings.host, settings.gateway_port),
    ):
        await stop.wait()
        parts.streams.hub.close()


main = Program(serve, GatewaySettings)
