"""Who asks in a run of schemathesis, which imports it (SCHEMATHESIS_HOOKS): nobody, a customer or an admin.

What a case does to its own session must not make the rest worthless: a caller whose session, role or standing is gone
is replaced by a new one. What is no failure is here too, and why.
"""

import asyncio
import atexit
import json
import os
import re
from collections import Counter
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import httpx2
import schemathesis
from schemathesis.core.failures import Failure, ServerError
from schemathesis.openapi.checks import RejectedPositiveData

from events.reasons import Reason
from ops.admins import created
from tests.fuzz.runs import CALLER, DYNAMODB, GATEWAY, TALLY

AUTH = "/api/v1/auth"
PASSWORD = "correct horse battery"  # the document's example: a case that has it may pass
MONEY = "100000.00"
ENDING = frozenset({"logout", "change_password", "close_account"})
"""Operations that end the caller's session: each case is a newcomer's, who may also close his account."""
NEWCOMER = "newcomer"
OVER = frozenset({"session_revoked", "token_expired", "account_frozen"})
BUSY = frozenset({"dependency_unavailable", "overloaded"})
WAIT = re.compile(r"wait=[0-9]+")
FAR = re.compile(r"[0-9]{1,4}(?![0-9])")
UNTOLD = {
    *Reason,
    "account_not_empty",
    "invalid_cursor",
    "idempotency_conflict",
    "changed_meanwhile",
    "refused",
} | {
    "password_too_common",
    "control_character",
    "bad_request",  # a cookie and a token at once
    "given_twice",
    "too_many_digits",
    "too_large",
}
"""Codes of what a schema can't tell: it depends on what there is, or is no pattern of all readers."""
Case = schemathesis.Case[Any]
tally: Counter[str] = Counter()
shared: list[dict[str, str]] = []
"""The header of most cases, none: the next one needs a new caller."""


def tokens_of(caller: str) -> dict[str, Any]:
    """Returns the tokens of somebody new; only a newcomer has no money."""
    name = f"f-{uuid4().hex[:16]}"
    email, password = f"{name}@example.org", PASSWORD
    with httpx2.Client(base_url=os.environ[GATEWAY], timeout=60) as http:
        if caller == "admin":  # the operator's command, for nobody registers as one
            password = asyncio.run(created(os.environ[DYNAMODB], name, email))
        else:
            ask(http, f"{AUTH}/register", username=name, email=email, password=password)
        tokens = ask(http, f"{AUTH}/login", username=name, password=password)
        if caller != NEWCOMER:
            http.headers |= bearer(tokens) | {"Prefer": "wait=30"}
            ask(http, "/api/v1/balance/deposit", amount=MONEY)
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def ask(http: httpx2.Client, path: str, **body: str) -> dict[str, Any]:
    answer: dict[str, Any] = http.post(path, json=body).raise_for_status().json()
    return answer


if os.environ[CALLER] != "nobody":

    @schemathesis.auth(refresh_interval=None)
    class Caller:
        """Gives each case the session that it is asked in."""

        def get(self, case: Case, context: schemathesis.AuthContext) -> dict[str, str]:
            if name_of(case) in ENDING:
                return bearer(tokens_of(NEWCOMER))
            if not shared:
                shared.append(bearer(tokens_of(os.environ[CALLER])))
            return shared[0]

        def set(self, case: Case, data: dict[str, str], context: schemathesis.AuthContext) -> None:
            case.headers.update(data)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Has nobody wait long for a position that does not come, and most ask for one that has: else all were 503.

    A refresh token that is well made is one: nobody guesses any.
    """
    query, headers = case.query, case.headers
    if isinstance(query.get("min_position"), str):
        query["min_position"] = FAR.sub("0", query["min_position"])
        if WAIT.fullmatch(str(headers.get("Prefer", "wait=1"))):
            headers["Prefer"] = "wait=0"
    if name_of(case) == "refresh" and case.meta and case.meta.generation.mode.is_positive:
        case.body = {"refresh_token": tokens_of(NEWCOMER)["refresh_token"]}


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: Case, response: schemathesis.Response
) -> None:
    """Counts the answer, and forgets the caller if nothing more is to be had of him."""
    tally[f"{name_of(case)} {response.status_code}"] += 1
    sent = {"Authorization": response.request.headers.get("Authorization", "")}
    if response.status_code not in (401, 403) or sent not in shared:
        return
    code = code_of(response)
    if code in OVER or (code == "forbidden" and os.environ[CALLER] == "admin"):
        shared.clear()


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    """Returns whether it is one. A 503 that says that a view has not come to a position that was asked for is not;
    nor is one of a busy machine, which serves the same request when Retry-After says; nor the refusal of what the
    schema takes, if the code is of what a schema can't tell.
    """
    if response.status_code == 503 and code_of(response) in BUSY:
        return again(response) >= 500
    if isinstance(failure, ServerError):
        return not ("min_position" in case.query and code_of(response) == "view_behind")
    if isinstance(failure, RejectedPositiveData):
        return not codes_of(response) <= UNTOLD
    return True


def again(response: schemathesis.Response) -> int:
    """Returns the status of the same request, later."""
    sleep(int(response.headers["retry-after"][0]))
    asked, body = response.request, response.request.body
    told = httpx2.request(
        str(asked.method),
        str(asked.url),
        headers={name: str(value) for name, value in asked.headers.items()},
        content=body if isinstance(body, (str, bytes)) else None,
        timeout=60,
    )
    return told.status_code


def name_of(case: Case) -> str:
    name: str = case.operation.definition.raw["operationId"]
    return name


def code_of(response: schemathesis.Response) -> str:
    code: str = response.json()["code"]
    return code


def codes_of(response: schemathesis.Response) -> set[str]:
    """Returns the codes of what is wrong with the input; what is no fault of any part: its own."""
    return {each["code"] for each in response.json().get("errors", [])} or {code_of(response)}


@atexit.register
def tell() -> None:
    Path(os.environ[TALLY]).write_text(json.dumps(tally))
