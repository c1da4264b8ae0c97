"""The edge's OpenAPI document: what FastAPI finds out, and the problems that every route can answer with."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .cookies import ACCESS_COOKIE
from .problems import Problem, refusals

Operation = dict[str, Any]
SCHEMAS = "#/components/schemas/{model}"
OF_ALL = (
    "bad_host",
    "uri_too_long",
    "headers_too_large",
    "internal",
    "dependency_unavailable",
    "view_behind",
    "rate_limited",
)
OF_BODIES = (
    "bad_request",
    "malformed_json",
    "request_timeout",
    "body_too_large",
    "unsupported_media_type",
    "validation_failed",
)
OF_SESSIONS = (
    "authentication_required",
    "invalid_token",
    "token_expired",
    "session_revoked",
    "bad_request",
)
OF_COOKIES = ("csrf",)
OF_ADMINS = ("forbidden",)
LIMITS = {
    "RateLimit-Policy": '`"CLASS";q=40;w=2`: so many requests at once, whole again after so many seconds',
    "RateLimit": '`"CLASS";r=39;t=1`: what is left now, and the seconds until all is there again',
    "Retry-After": "seconds",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Returns the document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _complete(
            get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                routes=app.routes,
            )
        )
    return app.openapi_schema


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": ACCESS_COOKIE},
    }
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template=SCHEMAS, mode="serialization")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _add_refusals(method, operation)
    return document


def _add_refusals(method: str, operation: Operation) -> None:
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", ()):
        del responses["422"]  # FastAPI's own, which we never send
    for status, common in refusals(*_codes(method, operation)).items():
        own = responses.get(status)
        if own is None:
            responses[status] = common
        elif own["content"] == common["content"]:
            own["description"] = f"{common['description']}, {own['description']}"
    responses["429"]["headers"] = {
        name: {"description": said, "schema": {"type": "string"}} for name, said in LIMITS.items()
    }
    operation["responses"] = dict(sorted(responses.items()))


def _codes(method: str, operation: Operation) -> tuple[str, ...]:
    """Returns the codes that an operation's shape implies."""
    codes: tuple[str, ...] = OF_ALL
    if "requestBody" in operation:
        codes += OF_BODIES
    elif operation.get("parameters"):
        codes += ("validation_failed",)
    if "security" in operation:
        codes += OF_SESSIONS if method == "get" else OF_SESSIONS + OF_COOKIES
    if "admin" in operation.get("tags", ()):
        codes += OF_ADMINS
    return codes
