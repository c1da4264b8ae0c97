"""/auth, from outside."""

import asyncio

import httpx2
import pytest

from events.topics import USER_EVENTS, Topic
from events.user import LoggedIn, LoggedOut, UserRegistered
from gateway.audit import GRACE, Trail, mark
from infra.publisher import MemoryPublisher, OfAccount, Position
from tests.messages.envelope import ACCOUNT

from .conftest import ADA, Twins

AUTH = "/api/v1/auth"
LOGIN = {name: ADA[name] for name in ("username", "password")}
Headers = dict[str, str]


async def test_a_registration_is_answered_with_the_user(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{AUTH}/register", json=ADA | {"first_name": "Ada"})
    assert answer.status_code == 201
    user = answer.json()
    assert len(user.pop("id")) == 36
    assert user == {
        "username": "ada",
        "email": "ada@example.org",
        "first_name": "Ada",
        "last_name": None,
        "role": "customer",
        "created_at": "2027-01-15T08:00:00.000Z",
    }


async def test_a_taken_name_and_a_taken_email_are_told_apart(client: httpx2.AsyncClient) -> None:
    await client.post(f"{AUTH}/register", json=ADA)
    for other, code in (
        ({"email": "eve@example.org"}, "username_taken"),
        ({"username": "ADA", "email": "eve@example.org"}, "username_taken"),
        ({"username": "eve"}, "email_taken"),
        ({"username": "eve", "email": "ada@EXAMPLE.org"}, "email_taken"),
    ):
        answer = await client.post(f"{AUTH}/register", json=ADA | other)
        assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("username", "ad", "invalid"),
        ("username", "аdmin", "invalid"),  # noqa: RUF001 - Cyrillic
        ("username", "ada\n", "invalid"),
        ("username", 5, "invalid"),
        ("email", "ada", "invalid"),
        ("email", "ada@example", "invalid"),
        ("email", "a da@example.org", "invalid"),
        ("email", "a\u202eda@example.org", "control_character"),
        ("password", "7 chars", "invalid"),
        ("password", "x" * 129, "invalid"),
        ("password", 12345678, "invalid"),
        ("first_name", "", "invalid"),
        ("first_name", "A\u0000", "control_character"),
        ("role", "admin", "unknown_field"),
        ("account_id", "018f-a", "unknown_field"),
    ],
)
async def test_what_is_not_valid_is_named(
    client: httpx2.AsyncClient, twins: Twins, field: str, value: object, code: str
) -> None:
    answer = await client.post(f"{AUTH}/register", json=ADA | {field: value})
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_failed"
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        (f"#/{field}", code)
    ]
    # The id of a request is random, and so may hold any two letters.
    said = answer.text.replace(answer.json()["request_id"], "")
    assert str(value) not in said or value in ("", 5)
    assert not twins.users.items
    assert not twins.publisher.log


async def test_a_login_gives_a_token_that_says_who_one_is(
    client: httpx2.AsyncClient, ada: Headers
) -> None:
    answer = await client.post(f"{AUTH}/login", json=LOGIN | {"username": "Ada"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("bearer", 600)
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    me = await client.get(f"{AUTH}/me", headers=bearer)
    assert me.status_code == 200
    assert me.json() == body["user"]


async def test_a_logout_ends_the_session_and_no_other(
    client: httpx2.AsyncClient, ada: Headers
) -> None:
    other = (await client.post(f"{AUTH}/login", json=LOGIN)).json()["access_token"]
    assert (await client.post(f"{AUTH}/logout", headers=ada)).status_code == 204
    for path in (f"{AUTH}/me", f"{AUTH}/logout"):
        method = "GET" if path.endswith("me") else "POST"
        answer = await client.request(method, path, headers=ada)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")
    still = await client.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {other}"})
    assert still.status_code == 200


async def test_the_session_list_wiped_logs_out(
    client: httpx2.AsyncClient, ada: Headers, twins: Twins
) -> None:
    twins.sessions.rows.clear()
    answer = await client.get(f"{AUTH}/me", headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")


async def test_the_audit_trail_tells_each_act_once_and_no_secret(
    client: httpx2.AsyncClient, ada: Headers, twins: Twins
) -> None:
    session = next(iter(twins.sessions.rows))
    await client.post(f"{AUTH}/logout", headers=ada | {"X-Request-ID": "my-request"})
    told = twins.publisher.read(USER_EVENTS)
    assert [type(event) for event in told] == [UserRegistered, LoggedIn, LoggedOut]
    assert len({event.account_id for event in told}) == 1
    assert told[1].session == told[2].session == mark(session)
    assert told[2].correlation_id == "my-request"
    written = b"".join(raw for _, raw in twins.publisher.log).decode()
    name = f'"{ADA["username"]}"'  # as a value: its letters alone may stand in any id
    secrets = (name, ADA["email"], ADA["password"], session)
    assert not [secret for secret in secrets if secret in written]


async def test_nobody_waits_for_the_log_to_register_and_nothing_is_lost(
    client: httpx2.AsyncClient, twins: Twins
) -> None:
    twins.publisher.away = True
    assert (await client.post(f"{AUTH}/register", json=ADA)).status_code == 201
    assert (await client.post(f"{AUTH}/login", json=LOGIN)).status_code == 200
    assert len(twins.users.outbox) == 2

    twins.publisher.away = False
    trail = Trail(twins.users, twins.publisher, twins.clock)
    assert await trail.sweep(twins.clock.ms) == 0  # their own requests may still be at it
    assert await trail.sweep(twins.clock.ms + GRACE) == 2
    assert await trail.sweep(twins.clock.ms + GRACE) == 0
    told = twins.publisher.read(USER_EVENTS)
    assert [type(event) for event in told] == [UserRegistered, LoggedIn]


async def test_a_log_that_does_not_answer_keeps_nobody_waiting_either(twins: Twins) -> None:
    class Silent(MemoryPublisher):
        async def publish(self, topic: Topic[OfAccount], message: OfAccount) -> Position:
            await asyncio.Event().wait()
            raise AssertionError

    trail = Trail(twins.users, Silent(), twins.clock)
    async with asyncio.timeout(5):
        await trail.record(LoggedIn, ACCOUNT, "request-1", session="s")
    assert len(twins.users.outbox) == 1
