"""What holds for every route: ids, problems, bodies, policies, documents."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY

from events.reasons import Reason
from gateway.app import create_app, require_policies, routed
from gateway.deps import PUBLIC, Customer, Parts
from gateway.problems import PROBLEMS, Refused, pointer
from gateway.route import EdgeRoute, Unguarded
from infra.process.metrics import exposition

from .conftest import ADA, Twins

REGISTER, LOGIN, ME = (f"/api/v1/auth/{name}" for name in ("register", "login", "me"))
JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """Returns the problem that the answer must be."""
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert body["status"] == answer.status_code == PROBLEMS[body["code"]][0]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert body["type"] == f"urn:orderstream:problem:{body['code']}"
    return body


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nowhere", "not_found"),
        ("GET", "/api/v1", "not_found"),
        ("GET", "//evil.example/", "not_found"),
        ("GET", "/health//", "not_found"),
        ("DELETE", "/health", "method_not_allowed"),
        ("FOO", REGISTER, "method_not_allowed"),
        ("TRACE", "/health", "method_not_allowed"),
        ("GET", ME, "authentication_required"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    client: httpx2.AsyncClient, method: str, path: str, code: str
) -> None:
    assert problem(await client.request(method, path))["code"] == code


async def test_a_trailing_slash_makes_no_difference(
    client: httpx2.AsyncClient, ada: dict[str, str]
) -> None:
    assert (await client.get("/health/")).status_code == 200
    assert (await client.get("/health/ready/")).status_code == 200
    assert (await client.get(f"{ME}/", headers=ada)).status_code == 200
    assert (await client.post(f"{REGISTER}/", json=ADA)).status_code == 409


async def test_every_fault_of_the_input_has_its_place(client: httpx2.AsyncClient) -> None:
    answer = await client.post(LOGIN, json={"password": 5, "a/b~c": {}})
    faults = problem(answer)["errors"]
    assert {(one["pointer"], one["code"]) for one in faults} == {
        ("#/username", "required"),
        ("#/password", "invalid"),
        ("#/a~1b~0c", "unknown_field"),
    }
    for body in (b"[]", b"null", b'"x"', b"5"):
        answer = await client.post(LOGIN, content=body, headers=JSON)
        assert [one["pointer"] for one in problem(answer)["errors"]] == ["#"]


def test_a_parameter_is_named_with_its_kind() -> None:
    assert pointer(("query", "limit")) == "query/limit"
    assert pointer(("body", "legs", 0, "price")) == "#/legs/0/price"


@pytest.mark.parametrize(
    ("headers", "code", "challenge"),
    [
        ([], "authentication_required", "Bearer"),
        ([("Authorization", "")], "invalid_token", 'Bearer error="invalid_token"'),
        ([("Authorization", "Basic YTpi")], "invalid_token", 'Bearer error="invalid_token"'),
        ([("Authorization", "Bearer")], "invalid_token", 'Bearer error="invalid_token"'),
        ([("Authorization", "Bearer a b")], "invalid_token", 'Bearer error="invalid_token"'),
        ([("X-User-ID", "018f-a")], "authentication_required", "Bearer"),
    ],
    ids=str,
)
async def test_whoever_has_no_token_is_told_what_is_needed(
    client: httpx2.AsyncClient, headers: list[tuple[str, str]], code: str, challenge: str
) -> None:
    answer = await client.get(ME, headers=headers)
    assert problem(answer)["code"] == code
    assert answer.headers["WWW-Authenticate"] == challenge


async def test_two_tokens_are_none(client: httpx2.AsyncClient, ada: dict[str, str]) -> None:
    answer = await client.get(ME, headers=[*ada.items(), *ada.items()])
    assert problem(answer)["code"] == "invalid_token"


async def test_a_token_of_another_account_opens_no_session(
    client: httpx2.AsyncClient, ada: dict[str, str], parts: Parts, twins: Twins
) -> None:
    session_id = next(iter(twins.sessions.rows))
    token = parts.tokens.issue("018f-b", session_id)
    answer = await client.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert problem(answer)["code"] == "invalid_token"


def test_every_reason_is_a_problem_and_a_new_one_still_a_refusal() -> None:
    assert {Refused(reason).code for reason in Reason} == set(Reason)
    assert Refused(Reason.ACCOUNT_FROZEN).status_code == 403
    assert Refused(Reason.DEPOSITS_DISABLED).status_code == 403
    assert Refused(Reason.INSUFFICIENT_FUNDS).status_code == 422
    new = Refused("moon_phase")
    assert (new.code, new.status_code, new.detail) == ("refused", 422, "Reason: moon_phase.")


def test_a_route_without_a_policy_stops_the_start() -> None:
    router = APIRouter(route_class=EdgeRoute)

    async def open_to_all() -> None: ...

    async def both(account: Customer) -> None: ...

    with pytest.raises(Unguarded, match="/open"):
        router.get("/open")(open_to_all)
    with pytest.raises(Unguarded, match="/both"):
        router.get("/both", dependencies=[PUBLIC])(both)
    router.get("/known", dependencies=[PUBLIC])(open_to_all)


def test_a_route_of_another_kind_stops_the_start() -> None:
    app = routed()
    plain = APIRouter()
    plain.get("/plain")(lambda: None)
    app.include_router(plain, prefix="/api")
    with pytest.raises(Unguarded, match="/api/plain"):
        require_policies(app)
    with pytest.raises(Unguarded, match="/openapi"):
        require_policies(FastAPI())


async def test_the_document_knows_every_answer(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    register = document["paths"][REGISTER]["post"]
    refused = ["400", "408", "409", "413", "414", "415", "422", "429", "431", "500", "503"]
    assert list(register["responses"]) == ["201", *refused]
    assert "`password_too_common`" in register["responses"]["422"]["description"]
    assert "Raises" not in register["description"]
    me = document["paths"][ME]["get"]
    assert list(me["responses"]) == ["200", "400", "401", "414", "429", "431", "500", "503"]
    assert me["security"] == [{"bearer": []}, {"cookie": []}]
    text = str(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    assert "HTTPValidationError" not in text


async def test_the_event_contract_is_a_page_for_people_and_json_for_programs(
    client: httpx2.AsyncClient,
) -> None:
    document = (await client.get("/asyncapi")).json()
    assert document["asyncapi"].startswith("3.")
    assert set(document["channels"]) >= {"trade.events.v1"}
    page = await client.get("/asyncapi", headers={"Accept": "text/html"})
    assert "trade.events.v1" in page.text


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_document_can_be_looked_at(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "/openapi.json" in answer.text
    parts = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert parts
    for part in parts:  # nothing is fetched from elsewhere
        found = await client.get(part)
        assert (found.status_code, found.headers["cache-control"]) == (200, "public, max-age=86400")
        kind = {"js": "text/javascript", "css": "text/css", "png": "image/png"}[
            part.rsplit(".")[-1]
        ]
        assert found.headers["content-type"].startswith(kind)
    [policy] = answer.headers.get_list("content-security-policy")
    assert "https:" not in policy
    for script in re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL):
        assert b64encode(sha256(script.encode()).digest()).decode() in policy


@pytest.mark.parametrize("name", ["nothing.js", "..%2fcore.py", "%2e%2e%2fcore.py", "core.py"])
async def test_the_pages_bring_no_other_file(client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.get(f"/docs/assets/{name}")
    assert answer.status_code in (404, 422)


async def test_readiness_names_what_is_away(parts: Parts) -> None:
    app = create_app(replace(parts, ready=lambda: {"sessions": True, "kafka": False}))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        assert (await client.get("/health")).json() == {"status": "up"}
        answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "components": {"sessions": "up", "kafka": "down"}}


async def test_answers_are_measured_by_route_and_status_and_never_by_what_a_client_makes_up(
    client: httpx2.AsyncClient,
) -> None:
    def counted(method: str, route: str, status: str) -> float:
        labels = {"method": method, "route": route, "status": status}
        return REGISTRY.get_sample_value("orderstream_http_request_seconds_count", labels) or 0

    before = counted("GET", "/health", "200")
    await client.get("/health")
    await client.get("/made/up")
    await client.request("FOO", "/made/up")
    assert counted("GET", "/health", "200") == before + 1
    assert counted("none", "none", "404") >= 2
    assert "made" not in exposition().decode()
