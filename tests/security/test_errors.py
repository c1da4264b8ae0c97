"""Errors and what they say: rows 64, 72 and 73 of the security table."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse

from gateway.deps import Parts
from gateway.entrance import Entrance
from gateway.problems import PROBLEMS
from gateway.route import EdgeRoute, policy
from infra.stores.sessions import Knock
from infra.unavailable import Unavailable
from tests.gateway.conftest import Twins

from .conftest import BASE, Client, calling, registered, session

PROBLEM = "application/problem+json"
INNER = re.compile(
    r"traceback|file \"|\.py\b|\.lua\b|error at|exception|kafka|redis|dynamo|valkey"
    r"|aiokafka|pydantic|starlette|fastapi|granian|gateway\.|infra\.|127\.0\.0\.1|localhost|secret|:\d{4,5}\b|keyerror|valueerror",
    re.IGNORECASE,
)
BUY = {"asset_id": "BTC", "side": "buy", "notional": "1.00"}


def says_nothing(answer: httpx2.Response) -> None:
    """Raises: AssertionError unless the answer is a problem of the list that tells nothing of what is inside."""
    body = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert PROBLEMS[body["code"]][0] == answer.status_code == body["status"]
    assert set(body) <= {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert body["request_id"] == answer.headers["X-Request-ID"]
    headers = {name: value for name, value in answer.headers.items() if name != "server"}
    assert not INNER.search(f"{answer.text} {headers}".replace("urn:orderstream:problem:", ""))


def away(twins: Twins) -> None:
    twins.backstage.away = True


def mute(twins: Twins) -> None:
    twins.backstage.mute = True


def viewless(twins: Twins) -> None:
    twins.backstage.live.away = twins.backstage.history.away = True


def sessionless(twins: Twins) -> None:
    twins.sessions.away = True


def keyless(twins: Twins) -> None:
    twins.tries.away = True


def planted_user(twins: Twins) -> None:
    for item in twins.users.items.values():
        del item["email"]


def planted_session(twins: Twins) -> None:
    for kept in twins.sessions.rows.values():
        kept.record = '{"secret":"nonsense"}'


def planted_rows(twins: Twins) -> None:
    for window in (twins.backstage.live, twins.backstage.history):
        for shelf in window.store.generations[1].shelves.values():
            shelf.rows |= dict.fromkeys(shelf.rows, b'{"secret":"nonsense"}')


def planted_try(twins: Twins) -> None:
    twins.tries.rows |= {key: (b"5\nnonsense", ends) for key, (_, ends) in twins.tries.rows.items()}


DEPOSITING = ("POST", "/balance/deposit")
FAULTS: dict[str, tuple[Callable[[Twins], None], str, str, int]] = {
    "the log is away": (away, *DEPOSITING, 503),
    "the log does not answer": (mute, *DEPOSITING, 503),
    "the views are away": (viewless, "GET", "/balance", 503),
    "the sessions are away": (sessionless, "GET", "/balance", 503),
    "the store of tries is away": (keyless, *DEPOSITING, 503),
    "a user that does not decode": (planted_user, "GET", "/auth/me", 500),
    "a session that does not decode": (planted_session, "GET", "/balance", 500),
    "a row that does not decode": (planted_rows, "GET", "/balance", 500),
    "a try that does not decode": (planted_try, *DEPOSITING, 500),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_s72_a_fault_in_any_layer_says_a_code_and_no_more(
    client: Client, twins: Twins, fault: str
) -> None:
    await registered(client)
    headers = await session(client) | {"Idempotency-Key": "once"}
    deposit = {"amount": "1.00"}
    done = await client.post(f"{BASE}/balance/deposit", headers=headers, json=deposit)
    assert done.status_code == 201
    strike, method, path, status = FAULTS[fault]
    strike(twins)
    if fault.startswith("the log"):
        headers["Idempotency-Key"] = "another"
    body = deposit if method == "POST" else None
    answer = await client.request(method, f"{BASE}{path}", headers=headers, json=body)
    assert answer.status_code == status, answer.text
    says_nothing(answer)
    if status == 503:
        assert answer.headers["Retry-After"] == "1"


async def test_s72_a_decider_that_is_down_is_no_error_at_all(client: Client, twins: Twins) -> None:
    await registered(client)
    headers = await session(client) | {"Prefer": "respond-async"}
    twins.backstage.down.add(twins.backstage.exchange.balance)
    answer = await client.post(f"{BASE}/balance/deposit", headers=headers, json={"amount": "1.00"})
    assert answer.status_code == 202
    assert not INNER.search(answer.text)


class Broken:
    """A session store of which every call fails."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def admit(self, knock: Knock) -> None:
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Unavailable("sessions"), 503, "dependency_unavailable"),
        (RuntimeError("secret://host:1234"), 500, "internal"),
        (KeyError("table"), 500, "internal"),
    ],
    ids=repr,
)
async def test_s72_a_fault_inside_says_nothing_of_itself(
    client: Client, parts: Parts, failure: Exception, status: int, code: str
) -> None:
    await registered(client)
    ada = await session(client)
    broken = replace(parts, sessions=Broken(failure))  # type: ignore[arg-type]
    async with calling(broken) as other:
        answer = await other.get(f"{BASE}/auth/me", headers=ada)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    says_nothing(answer)
    assert set(answer.json()) == {"type", "title", "status", "code", "request_id"}
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/%00", 404),
        ("GET", "/api/v1/orders/" + "x" * 3_000, 401),
        ("DELETE", "/health", 405),
        ("FOO", "/api/v1/orders", 405),
    ],
)
async def test_s72_what_there_isn_t_is_a_problem_too(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    says_nothing(answer)


@policy("public")
async def anybody() -> None:
    """Lets in whoever comes."""


async def half() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half an "
        raise ValueError("answer")

    return StreamingResponse(parts())


async def test_s73_half_an_answer_never_looks_like_a_whole_one() -> None:
    app, let_in = FastAPI(), [Depends(anybody)]
    app.router.add_api_route("/half", half, route_class_override=EdgeRoute, dependencies=let_in)
    transport = httpx2.ASGITransport(app=Entrance(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        with pytest.raises(ValueError, match="answer"):
            await client.get("/half")


@pytest.mark.parametrize("given", ["12345678", "a-Z_0" * 12 + "-Z_0"])
async def test_s64_a_sane_request_id_is_taken(client: Client, given: str) -> None:
    answer = await client.get("/health", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "x" * 10_240, 'id"}\n{"a":1', "\x1b[31mred-id", "12345 78"]
)
async def test_s64_any_other_request_id_is_replaced(client: Client, given: str) -> None:
    headers = [(b"X-Request-ID", given.encode())]
    made = [(await client.get("/health", headers=headers)).headers["X-Request-ID"] for _ in "ab"]
    assert len({given, *made}) == 3
    assert {len(one) for one in made} == {36}
