"""The edge's OpenAPI document: what FastAPI finds out, and the problems that every route can answer with.

What an operation refuses as all of its shape do stands in the document once, as a component.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .cookies import ACCESS_COOKIE
from .links import LINKS
from .problems import PROBLEMS, Problem, Responses, refusals

Operation = dict[str, Any]
SCHEMAS, RESPONSES = "#/components/schemas/{model}", "#/components/responses/"
SHAPES = {
    "": (
        "bad_host",
        "uri_too_long",
        "headers_too_large",
        "internal",
        "dependency_unavailable",
        "view_behind",
        "rate_limited",
    ),
    "Admin": ("forbidden",),
    "Body": (
        "bad_request",
        "malformed_json",
        "request_timeout",
        "body_too_large",
        "unsupported_media_type",
    ),
    "Input": ("validation_failed",),
    "Session": (
        "authentication_required",
        "invalid_token",
        "token_expired",
        "session_revoked",
        "bad_request",
    ),
    "Cookie": ("csrf",),
}
"""The codes that an operation's shape implies; "": of every operation."""
LIMITS = {
    "RateLimit-Policy": '`"CLASS";q=40;w=2`: so many requests at once, whole again after so many seconds',
    "RateLimit": '`"CLASS";r=39;t=1`: what is left now, and the seconds until all is there again',
    "Retry-After": "seconds",
}
LIMITED = {
    name: {"description": said, "schema": {"type": "string"}} for name, said in LIMITS.items()
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
    shared: Responses = components.setdefault("responses", {})
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _add_refusals(operation, _shapes(method, operation), shared)
            _add_links(operation)
    components["responses"] = dict(sorted(shared.items()))
    return document


def _add_refusals(operation: Operation, shapes: list[str], shared: Responses) -> None:
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", ()):
        del responses["422"]  # FastAPI's own, which we never send
    if "304" in responses:
        shared["NotModified"] = responses["304"]
        responses["304"] = {"$ref": RESPONSES + "NotModified"}
    codes = [code for shape in shapes for code in SHAPES[shape]]
    for status, common in refusals(*dict.fromkeys(codes)).items():
        if status == "429":
            common["headers"] = LIMITED
        own = responses.get(status)
        if own is None:
            name = _name(int(status), shapes)
            shared[name] = common
            responses[status] = {"$ref": RESPONSES + name}
        elif own["content"] == common["content"]:
            responses[status] = common | {
                "description": f"{common['description']}, {own['description']}"
            }
    operation["responses"] = dict(sorted(responses.items()))


def _add_links(operation: Operation) -> None:
    for status, answer in operation["responses"].items():
        if links := LINKS.get((operation["operationId"], status)):
            answer["links"] = links


def _name(status: int, shapes: list[str]) -> str:
    """Returns what the refusals with a status of all operations of the shapes are called."""
    saying = [
        shape for shape in shapes if any(PROBLEMS[code][0] == status for code in SHAPES[shape])
    ]
    return f"Problem{status}{''.join(saying)}"


def _shapes(method: str, operation: Operation) -> list[str]:
    """Returns what an operation has of what SHAPES names."""
    shapes = ["", *(tag.title() for tag in operation.get("tags", ()) if tag.title() in SHAPES)]
    if "requestBody" in operation:
        shapes.append("Body")
    if "requestBody" in operation or operation.get("parameters"):
        shapes.append("Input")
    if "security" in operation:
        shapes += ["Session"] if method == "get" else ["Session", "Cookie"]
    return shapes
