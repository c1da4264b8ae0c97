"""Both contracts: /openapi.json and the two pages that show it; /asyncapi, a page for people, JSON for programs."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response

from events.asyncapi import asyncapi
from events.page import page
from gateway.deps import PUBLIC
from gateway.openapi import describe
from gateway.route import EdgeRoute

OPENAPI, TITLE = "/openapi.json", "orderstream"
Asset = Literal["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"]
TYPES = {"js": "text/javascript", "css": "text/css", "png": "image/png"}
KEPT = "public, max-age=86400"
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of both pages: they are others', and style themselves."""
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
router = APIRouter(route_class=EdgeRoute, include_in_schema=False, dependencies=[PUBLIC])


@router.get(OPENAPI)
async def openapi(request: Request) -> dict[str, Any]:
    return describe(request.app)


@router.get("/docs")
async def swagger() -> HTMLResponse:
    return shown(
        get_swagger_ui_html(
            openapi_url=OPENAPI,
            title=TITLE,
            swagger_js_url=at("swagger-ui-bundle.js"),
            swagger_css_url=at("swagger-ui.css"),
            swagger_favicon_url=at("favicon.png"),
        )
    )


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    return shown(
        get_redoc_html(
            openapi_url=OPENAPI,
            title=TITLE,
            redoc_js_url=at("redoc.standalone.js"),
            redoc_favicon_url=at("favicon.png"),
            with_google_fonts=False,
        )
    )


@router.get("/docs/assets/{name}")
async def asset(name: Asset) -> Response:
    """Returns what the two pages are made of, from the package that brings it."""
    kind = TYPES[name.rpartition(".")[2]]
    return Response(read(name), media_type=kind, headers={"Cache-Control": KEPT})


@cache
def read(name: Asset) -> bytes:
    return files("fastapi_offline").joinpath("static", name).read_bytes()


def at(name: Asset) -> str:
    return f"/docs/assets/{name}"


def shown(page: HTMLResponse) -> HTMLResponse:
    """Returns the page, allowed its own scripts and no other."""
    scripts = INLINE.findall(bytes(page.body).decode())
    hashes = (b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(["'self'", *(f"'sha256-{hash_}'" for hash_ in hashes)])
    page.headers["Content-Security-Policy"] = POLICY.format(scripts=allowed)
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
