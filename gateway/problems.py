"""Every error that the edge answers with: code, status, title (RFC 9457). The codes are a closed list."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field, SerializeAsAny
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException

from events.reasons import Reason
from infra.unavailable import Unavailable
from infra.views.port import Lagging, NotReady

MEDIA_TYPE = "application/problem+json"
UNKNOWN = "internal"
"""The code of what nobody foresaw."""
FORBIDDEN = frozenset({Reason.ACCOUNT_FROZEN, Reason.DEPOSITS_DISABLED})
EDGE = {
    "malformed_json": (400, "The body is not strict JSON."),
    "bad_request": (400, "The request can't be read."),
    "bad_host": (400, "There is no such host here."),
    "invalid_cursor": (400, "The cursor is not one of this list."),
    "authentication_required": (401, "An access token is needed."),
    "invalid_credentials": (401, "No such user, or not this password."),
    "invalid_token": (401, "The access token is not valid."),
    "token_expired": (401, "The access token has expired."),
    "session_revoked": (401, "The session is over."),
    "refresh_reused": (401, "The refresh token was used before: the session is over."),
    "forbidden": (403, "Not allowed."),
    "csrf": (403, "Only a page of this site may ask for that with a cookie."),
    "not_found": (404, "No such thing."),
    "method_not_allowed": (405, "The resource has no such method."),
    "username_taken": (409, "The user name is taken."),
    "email_taken": (409, "The e-mail address is taken."),
    "refresh_in_progress": (409, "The session is being refreshed by another request."),
    "account_not_empty": (409, "The account has money, assets or open orders."),
    "last_admin": (409, "There must be an admin."),
    "own_role": (403, "Nobody changes the role of his own account."),
    "request_timeout": (408, "The body did not come in time."),
    "changed_meanwhile": (412, "It is no longer what If-Match says."),
    "body_too_large": (413, "The body is too large."),
    "uri_too_long": (414, "The address is too long."),
    "unsupported_media_type": (415, "A body must be application/json, and not compressed."),
    "validation_failed": (422, "The input is not valid."),
    "password_too_common": (422, "Too many people use this password."),
    "idempotency_conflict": (422, "The key was used for another request."),
    "refused": (422, "The command was refused."),
    "headers_too_large": (431, "The headers are too large."),
    "rate_limited": (429, "Too many requests."),
    "too_many_streams": (429, "The account has as many streams as it may."),
    "internal": (500, "Something went wrong here."),
    "dependency_unavailable": (503, "Something that this needs is away."),
    "log_unavailable": (503, "Commands can't be taken at the moment."),
    "view_behind": (503, "What this needs is not in view yet."),
    "overloaded": (503, "Too busy."),
}
REASONS = {str(reason): (403 if reason in FORBIDDEN else 422, reason.sentence) for reason in Reason}
PROBLEMS: Mapping[str, tuple[int, str]] = EDGE | REASONS
BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""Codes of what the framework itself refuses; any other status of its is a fault of ours."""
FAULTS = {"missing": "required", "extra_forbidden": "unknown_field"}
PYDANTIC = frozenset(get_args(ErrorType))
CHALLENGES = {"authentication_required": "Bearer", "invalid_credentials": "Bearer"}


class Fault(BaseModel):
    """What is wrong with one part of the input. pointer: `#/amount` in the body, else `query/limit`."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457. code: of the documented list; resource: what a refused command came to."""

    type: str = Field(examples=["urn:orderstream:problem:validation_failed"])
    title: str
    status: int
    detail: str | None = None
    code: str = Field(json_schema_extra={"enum": [*sorted(PROBLEMS)]})
    request_id: str
    errors: list[Fault] | None = None
    resource: SerializeAsAny[BaseModel] | None = None


class Refused(HTTPException):
    """Ends a request with a problem. A reason that this release doesn't know is the code `refused`."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        resource: BaseModel | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if code not in PROBLEMS:
            code, detail = "refused", detail or f"Reason: {code}."
        status, self.title = PROBLEMS[code]
        super().__init__(status, detail or self.title, headers)
        self.code = code
        self.errors = list(errors)
        self.resource = resource


def invalid(pointer: str, code: str, message: str) -> Refused:
    """Returns the refusal of one part of the input, found out after its model was checked."""
    return Refused("validation_failed", errors=[Fault(pointer=pointer, code=code, message=message)])


def answer(refused: Refused, request_id: str) -> Response:
    """Returns the problem as a response, with the headers that its status calls for."""
    problem = Problem(
        type=f"urn:orderstream:problem:{refused.code}",
        title=refused.title,
        status=refused.status_code,
        detail=refused.detail if refused.detail != refused.title else None,
        code=refused.code,
        request_id=request_id,
        errors=refused.errors or None,
        resource=refused.resource,
    )
    headers = dict(refused.headers or {})
    if refused.status_code == 401:
        challenge = CHALLENGES.get(refused.code, 'Bearer error="invalid_token"')
        headers.setdefault("WWW-Authenticate", challenge)
    if refused.status_code == 503:
        headers.setdefault("Retry-After", "1")
    return Response(
        problem.model_dump_json(exclude_none=True),
        refused.status_code,
        headers,
        media_type=MEDIA_TYPE,
    )


Responses = dict[int | str, dict[str, Any]]


def refusals(*codes: str) -> Responses:
    """Returns the OpenAPI responses, by status, of a route that may refuse with these codes."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses: Responses = {}
    for code in codes:
        entry = responses.setdefault(
            str(PROBLEMS[code][0]), {"description": "", "content": content}
        )
        entry["description"] += f", `{code}`" if entry["description"] else f"`{code}`"
    return responses


def refusal(error: Exception) -> Refused:
    """Returns what an error looks like from outside: nothing of its own text, unless it is a refusal."""
    match error:
        case Refused():
            return error
        case Unavailable():
            return Refused("dependency_unavailable")
        case NotReady() | Lagging():
            return Refused("view_behind")
        case RequestValidationError():
            return Refused("validation_failed", errors=[fault(one) for one in error.errors()])
        case HTTPException():
            return Refused(BY_STATUS.get(error.status_code, UNKNOWN), headers=error.headers)
        case _:
            return Refused(UNKNOWN)


def fault(error: Mapping[str, Any]) -> Fault:
    """Returns one of pydantic's errors without the input that it repeats."""
    kind: str = error["type"]
    code = FAULTS.get(kind, "invalid" if kind in PYDANTIC else kind)
    return Fault(pointer=pointer(error["loc"]), code=code, message=error["msg"])


def pointer(loc: Sequence[str | int]) -> str:
    """Returns a JSON pointer into the body (RFC 6901, as a fragment), or the parameter's kind and name."""
    place, *path = (str(part).replace("~", "~0").replace("/", "~1") for part in loc)
    return "/".join(["#" if place == "body" else place, *path])
