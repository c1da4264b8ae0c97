"""Both contracts: /openapi.json and the two pages that show it; /asyncapi, a page for people, JSON for programs."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response

from events.asyncapi import asyncapi
from events.page import page
from gateway.deps import PUBLIC
from gateway.openapi import describe
from gateway.route import EdgeRoute

OPENAPI = "/openapi.json"
router = APIRouter(route_class=EdgeRoute, include_in_schema=False, dependencies=[PUBLIC])


@router.get(OPENAPI)
async def openapi(request: Request) -> dict[str, Any]:
    return describe(request.app)


@router.get("/docs")
async def swagger() -> HTMLResponse:
    return get_swagger_ui_html(openapi_url=OPENAPI, title="orderstream")


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    return get_redoc_html(openapi_url=OPENAPI, title="orderstream")


@cache
def topics() -> dict[str, Any]:
    """Returns the document of the event contract, made once."""
    return asyncapi()


@router.get("/asyncapi")
async def events(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(page(topics()))
    return JSONResponse(topics())
