"""The edge put together: the one place that knows every route, and of what its parts are made."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from events.topics import PRICES
from infra.breaker import Breaker
from infra.log.end import end_of
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
from .auth import Passwords, Tokens
from .catalogue import Catalogue
from .cursors import Cursors
from .deps import Door, Parts, Streams
from .edge import Edge
from .entrance import Entrance
from .hearing import Hearing
from .keys import KeyFolder, ensure_development_key
from .paths import settle
from .projections.projection import Projection
from .pulse import Pulse, Shown
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
    past,
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
    past.router,
    market.router,
    auth.router,
    profile.router,
    closing.router,
    admin.router,
    health.router,
    docs.router,
)
ADMIN, DOCS = admin.router, docs.router
"""Those that an edge may be without: nobody then finds anything there."""


def create_app(parts: Parts) -> Entrance:
    """Returns the edge on the given parts. Raises: Unguarded if a route has no policy."""
    app = routed(docs=parts.door.docs, admin=parts.door.admin)
    app.state.parts = parts
    door = parts.door
    return Entrance(app, door.origins, hosts=door.hosts, https=door.https)


def routed(*, docs: bool = True, admin: bool = True) -> FastAPI:
    """Returns every route, or all but some, yet without the parts that they work with. Raises: Unguarded."""
    shut = [router for router, is_open in ((DOCS, docs), (ADMIN, admin)) if not is_open]
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
        if router not in shut:
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
    keys, tokens = signing(settings)
    async with (
        dynamodb.connect(settings.dynamodb) as table,
        sessions.connect(settings.sessions) as allowed,
        live.connect(settings.redis, live.READ_WITHIN) as redis,
        publishing(settings.kafka, settings.partition_count) as publisher,
    ):
        users, open_sessions = DynamoUsers(table), RedisSessions(allowed)
        breaker = Breaker("redis")
        new = LiveStore(redis, *folded(LIVE, settings), breaker=breaker)
        old = HistoryStore(table, *folded(HISTORY, settings))
        hub, trail = Hub(open_sessions, now), Trail(users, publisher, now)
        catalogue = Catalogue(View(new), hub.wake_public)
        stores = components(users, open_sessions)
        async with (
            following(new, hub, catalogue) as outcomes,
            working(trail.keep_sweeping(), keys.keep_looking(tokens)),
            telling(settings, stores, Shown(new, old, catalogue)) as ready,
        ):
            yield Parts(
                users=users,
                sessions=open_sessions,
                failures=RedisFailures(allowed),
                door=door(settings),
                passwords=Passwords(),
                tokens=tokens,
                trail=trail,
                edge=Edge(publisher, Repeats(RedisTries(redis, breaker), new, old, now), outcomes),
                view=View(Seam(new, old, {projection.kind for projection in HISTORY})),
                streams=Streams(new, old, hub, Ticker(catalogue)),
                catalogue=catalogue,
                cursors=Cursors(settings.cursor_key.get_secret_value().encode()),
                limits=settings.limits,
                now=now,
                ready=ready,
            )


def signing(settings: GatewaySettings) -> tuple[KeyFolder, Tokens]:
    """Returns the keys' folder and what signs with them. Raises: OSError, ValueError."""
    folder = settings.run_dir / "keys"
    if settings.env != "production":
        ensure_development_key(folder)
    keys = KeyFolder(folder, now)
    by_id, signer = keys.read()
    return keys, Tokens(by_id, now, signer)


def door(settings: GatewaySettings) -> Door:
    return Door(
        rates=Rates(rates_of(settings.env, settings.rates)),
        buckets=Buckets(now),
        proxies=settings.trusted_proxies,
        origins=settings.origins,
        https=settings.env == "production",
        hosts=settings.hosts,
        docs=settings.docs,
        admin=settings.admin,
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


@asynccontextmanager
async def telling(
    settings: GatewaySettings, stores: Components, shown: Shown
) -> AsyncIterator[Readiness]:
    """Returns who says what is there, while the block runs. The admin server, which is asked by whoever sends requests
    here, says whether this gateway has begun, which it has also while its history is being built.
    """
    async with end_of(settings.kafka, (PRICES.name, 0)) as end:
        ready = Readiness(
            {**stores, **Pulse(shown, end, now).components()}, waits_not_for=("history",)
        )
        async with working(ready.keep_asking()), serve_admin(settings, ready.begun):
            yield ready


def components(users: Users, sessions: Sessions) -> Components:
    return {
        "users": partial(users.by_id, NOBODY),
        "sessions": partial(sessions.admit, Knock(NOBODY)),
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
        serving(create_app(parts), settings.host, settings.gateway_port),
    ):
        await stop.wait()
        parts.streams.hub.close()


main = Program(serve, GatewaySettings)
