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
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https:; worker-src blob:; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https:; font-src https:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Of both pages: they are others' and bring scripts of theirs."""
router = APIRouter(route_class=EdgeRoute, include_in_schema=False, dependencies=[PUBLIC])


@router.get(OPENAPI)
async def openapi(request: Request) -> dict[str, Any]:
    return describe(request.app)


@router.get("/docs")
async def swagger() -> HTMLResponse:
    return shown(get_swagger_ui_html(openapi_url=OPENAPI, title="orderstream"))


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    return shown(get_redoc_html(openapi_url=OPENAPI, title="orderstream"))


def shown(page: HTMLResponse) -> HTMLResponse:
    """Returns the page, allowed the scripts that it needs."""
    page.headers["Content-Security-Policy"] = POLICY
    return page


@cache
def topics() -> dict[str, Any]:
    """Returns the document of the event contract, made once."""
    return asyncapi()


@router.get("/asyncapi")
async def events(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(page(topics()))
    return JSONResponse(topics())
