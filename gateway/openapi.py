"""The edge's OpenAPI document: what FastAPI finds out, and the problems that every route can answer with."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .problems import Problem, refusals

Operation = dict[str, Any]
SCHEMAS = "#/components/schemas/{model}"
OF_ALL = ("internal", "dependency_unavailable", "view_behind")
OF_BODIES = ("malformed_json", "body_too_large", "unsupported_media_type", "validation_failed")
OF_SESSIONS = ("authentication_required", "invalid_token", "token_expired", "session_revoked")


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
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template=SCHEMAS, mode="serialization")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for operations in document["paths"].values():
        for operation in operations.values():
            _add_refusals(operation)
    return document


def _add_refusals(operation: Operation) -> None:
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", ()):
        del responses["422"]  # FastAPI's own, which we never send
    for status, common in refusals(*_codes(operation)).items():
        own = responses.get(status)
        if own is None:
            responses[status] = common
        elif own["content"] == common["content"]:
            own["description"] = f"{common['description']}, {own['description']}"
    operation["responses"] = dict(sorted(responses.items()))


def _codes(operation: Operation) -> tuple[str, ...]:
    """Returns the codes that an operation's shape implies."""
    codes: tuple[str, ...] = OF_ALL
    if "requestBody" in operation:
        codes += OF_BODIES
    elif operation.get("parameters"):
        codes += ("validation_failed",)
    if "security" in operation:
        codes += OF_SESSIONS
    return codes
