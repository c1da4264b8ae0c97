"""What a password and a name may be, and how both are asked for: rows 3, 6, 7, 10 of the security table."""

import ast
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import NormalDist, median
from time import perf_counter

import httpx2
import pytest

from gateway.deps import Parts
from infra.stores.failures import FREE
from tests.e2e.conftest import http
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, calling, log_in, registered, session
from .hashing import Counted

__all__ = ["http"]
REGISTER, PASSWORD = f"{BASE}/auth/register", f"{BASE}/auth/password"
ROOT = Path(__file__).parents[2]
OF_ONE_REQUEST = {"x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"}
ASKED = {"known": "ada", "unknown": "nobody", "frozen": "eve"}
TIMES, ROUNDS = 200, 3
SHIPPED = (
    "events",
    "infra",
    "services",
    "gateway",
    "ops",
    "helm",
    "containers",
    "docs",
    "examples",
)


@pytest.fixture
def passwords() -> Counted:
    return Counted()


@pytest.fixture
async def counted(parts: Parts, passwords: Counted, twins: Twins) -> AsyncIterator[Client]:
    """Returns a client of an edge that counts what it hashes; ada and eve are registered, eve is frozen."""
    async with calling(replace(parts, passwords=passwords)) as client:
        root, eve = await registered(client, "root"), await registered(client, "eve")
        await registered(client)
        twins.users.items[root]["role"] = {"S": "admin"}
        frozen = await client.post(
            f"{BASE}/admin/users/{eve}/freeze",
            headers=await session(client, "root"),
            json={"reason": "inquiry"},
        )
        assert frozen.status_code == 200
        yield client


def said(answer: httpx2.Response) -> tuple[int, object, object]:
    """Returns all that a client can see of an answer, but for what is each request's own."""
    body = answer.json() | {"request_id": ""}
    return (
        answer.status_code,
        body,
        [h for h in answer.headers.multi_items() if h[0] not in OF_ONE_REQUEST],
    )


async def test_s03_who_is_unknown_and_who_is_wrong_look_alike_and_cost_the_same(
    counted: Client, passwords: Counted
) -> None:
    before, names = passwords.hashings, [*ASKED.values(), "ADA", "é'); --"]
    answers = [await log_in(counted, name, password="wrong horse") for name in names]
    assert passwords.hashings - before == len(names)
    assert [answer.json()["code"] for answer in answers] == ["invalid_credentials"] * len(names)
    assert [said(answer) for answer in answers] == [said(answers[0])] * len(names)


async def test_s03_a_name_that_must_wait_is_hashed_for_too(
    counted: Client, passwords: Counted
) -> None:
    for name in ("ada", "nobody"):
        for _ in range(FREE):
            assert (await log_in(counted, name, password="wrong horse")).status_code == 401
    before = passwords.hashings
    locked = [await log_in(counted, name) for name in ("ada", "nobody")]
    assert passwords.hashings - before == 2
    assert locked[0].status_code == 429
    assert said(locked[0]) == said(locked[1])


@pytest.mark.slow
async def test_s03_they_take_as_long(counted: Client, twins: Twins) -> None:
    """A difference that is none shows in one of three rounds on a machine that does other things too."""
    for _ in range(ROUNDS):
        times: dict[str, list[float]] = {who: [] for who in ASKED}
        for _ in range(TIMES):
            for who, name in ASKED.items():
                twins.failures.rows.clear()
                began = perf_counter()
                await log_in(counted, name, password="wrong horse")
                times[who].append(perf_counter() - began)
        pairs = list(combinations(times.values(), 2))
        if all(
            abs(median(a) - median(b)) <= 0.05 * median(a) and same(a, b) > 0.01 for a, b in pairs
        ):
            return
    pytest.fail(str({who: median(each) for who, each in times.items()}))


def same(a: list[float], b: list[float]) -> float:
    """Returns how probable it is that samples of one distribution differ as much (Mann-Whitney U, two-sided)."""
    ranks = {value: rank for rank, value in enumerate(sorted(a + b), 1)}
    u = sum(ranks[value] for value in a) - len(a) * (len(a) + 1) / 2
    spread = (len(a) * len(b) * (len(a) + len(b) + 1) / 12) ** 0.5
    return 2 * (1 - NormalDist().cdf(abs(u - len(a) * len(b) / 2) / spread))


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "lovelace", "LoveLace"])
async def test_s06_what_everybody_tries_first_is_refused(
    counted: Client, passwords: Counted, twins: Twins, password: str
) -> None:
    before, users = passwords.hashings, len(twins.users.items)
    body = ADA | {"username": "lovelace", "email": "l@example.org", "password": password}
    answer = await counted.post(REGISTER, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")
    changed = {"current_password": ADA["password"], "password": password}
    if password.lower() != "lovelace":
        refused = await counted.post(PASSWORD, headers=await session(counted), json=changed)
        assert (refused.status_code, refused.json()["code"]) == (422, "password_too_common")
        before += 1  # of the login
    assert (passwords.hashings, len(twins.users.items)) == (before, users)


@pytest.mark.parametrize("password", ["7 chars", "x" * 129, "🔑" * 7, "🔑" * 129, "", 12345678])
async def test_s06_too_short_and_too_long_is_never_hashed(
    counted: Client, passwords: Counted, password: object
) -> None:
    mine = await session(counted)
    before = passwords.hashings
    who = ADA | {"username": "new", "email": "new@example.org"}
    for path, body, field in (
        (REGISTER, who | {"password": password}, "password"),
        (PASSWORD, {"current_password": "x", "password": password}, "password"),
    ):
        answer = await counted.post(path, json=body, headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/{field}"]
        assert str(password) not in answer.text or password == ""
    if len(str(password)) == 129:
        assert (await log_in(counted, password=str(password))).status_code == 422
    assert passwords.hashings == before


@pytest.mark.parametrize(
    "password",
    ["päss wörd 🔑 x", "eight ch\u0000ars", "\u0000" * 8, "  spaces  ", "lower case", "🔑" * 128],
)
async def test_s06_a_password_is_taken_exactly_as_sent(
    client: Client, twins: Twins, password: str
) -> None:
    assert (await client.post(REGISTER, json=ADA | {"password": password})).status_code == 201
    assert (await log_in(client, password=password)).status_code == 200
    wrong = {
        password.partition("\u0000")[0],
        password.partition("\u0000")[0].strip() + "!",
        password + " ",
        password.strip() + "\u0000",
        password[:-1],
        password.swapcase(),
        password.replace("ä", "a\u0308"),  # looks the same, and is another
    } - {password}
    for other in wrong:
        twins.failures.rows.clear()
        status = 401 if len(other) <= 128 else 422
        assert (await log_in(client, password=other)).status_code == status
    assert (await log_in(client, password=password)).status_code == 200


async def test_s07_names_that_look_alike_are_one_or_none(client: Client, twins: Twins) -> None:
    assert await registered(client, "admin")
    for other, status in (
        ("Admin", 409),
        ("ADMIN", 409),
        ("аdmin", 422),  # noqa: RUF001 - Cyrillic
        ("admin\n", 422),
        (" admin", 422),
        ("admin\u200b", 422),
        ("ａｄｍｉｎ", 422),  # noqa: RUF001 - full width
        ("ad", 422),
        ("a" * 33, 422),
        ("admın", 422),  # noqa: RUF001 - without its dot
    ):
        who = ADA | {"username": other, "email": "other@example.org"}
        answer = await client.post(REGISTER, json=who)
        assert answer.status_code == status, (other, answer.text)
    assert list(twins.users.names) == ["admin"]
    assert (await log_in(client, "ADMIN")).json()["user"]["username"] == "admin"


async def test_s07_addresses_that_look_alike_are_one(client: Client, twins: Twins) -> None:
    who = ADA | {"email": "ren\u00e9@Example.ORG"}
    first = await client.post(REGISTER, json=who)
    assert (first.status_code, first.json()["email"]) == (201, "ren\u00e9@example.org")
    for email in ("rene\u0301@example.org", "ren\u00e9@EXAMPLE.org"):
        answer = await client.post(REGISTER, json=who | {"username": "eve", "email": email})
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert len(twins.users.items) == 1


@pytest.mark.stack
async def test_s10_nobody_is_there_by_default(http: httpx2.AsyncClient) -> None:
    for name in ("admin", "root", "test", "demo", "user", "orderstream"):
        for password in (name, "password", "admin123", ""):
            body = {"username": name, "password": password}
            answer = await http.post(f"{BASE}/auth/login", json=body)
            assert (answer.status_code, answer.json()["code"]) in (
                (401, "invalid_credentials"),
                (429, "rate_limited"),
            )


def test_s10_only_who_registers_and_the_operator_s_command_make_users() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "User"
    }
    assert makers == {"gateway/routes/auth.py", "infra/stores/users.py", "ops/admins.py"}


def test_s10_no_hash_and_no_admin_s_password_is_in_the_code() -> None:
    for path in sources():
        text = path.read_text(errors="replace")
        assert "$argon2id$" not in text, path
    assert "secrets.token_urlsafe(" in (ROOT / "ops/admins.py").read_text()


def sources() -> list[Path]:
    """Returns every file that is shipped."""
    inside = [path for folder in SHIPPED for path in (ROOT / folder).rglob("*")]
    found = [path for path in (*inside, *ROOT.glob("*")) if path.is_file()]
    return [path for path in found if path.suffix != ".pyc"]
