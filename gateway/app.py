"""The edge put together: the one place that knows every route."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from . import problems
from .deps import Parts
from .entrance import Entrance
from .route import EdgeRoute, Unguarded
from .routes import auth, docs, health

BASE = "/api/v1"


def create_app(parts: Parts) -> FastAPI:
    """Returns the edge on the given parts. Raises: Unguarded if a route has no policy."""
    app = FastAPI(
        title="orderstream",
        summary="Order processing for crypto assets on an event log.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        version=version("orderstream"),
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.parts = parts
    app.include_router(auth.router, prefix=BASE)
    app.include_router(health.router)
    app.include_router(docs.router)
    app.add_middleware(Entrance)
    problems.install(app)
    require_policies(app)
    return app


def require_policies(app: FastAPI) -> None:
    """Raises: Unguarded if something answers that is no EdgeRoute, which can't be made without a policy."""
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, EdgeRoute):
            raise Unguarded(f"{context.path}: not an EdgeRoute")
