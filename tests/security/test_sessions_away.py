"""The sessions' store stopped, killed and wiped, under a gateway as a process: row 53 of the security table."""

import shutil
import signal
from collections.abc import Iterator
from time import monotonic

import httpx2
import pytest

from infra.stores.failures import FREE
from ops.stack.folder import RunFolder
from tests.gateway.test_process import Gateway, environ, log_in, person, running
from tests.stand import is_back, kill, standing, until

from .conftest import BASE
from .test_policy import EXAMPLES, ROUTES

__all__ = ["environ"]
pytestmark = pytest.mark.stack
GUARDED = [route for policy, route in ROUTES if policy != "public"]
AT_ONCE_S = 0.25


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A Redis for the sessions alone."""
    with standing(tmp_path_factory.mktemp("sessions"), "redis") as folder:
        yield folder


async def ask(gateway: Gateway, route: str, headers: dict[str, str]) -> httpx2.Response:
    method, path = route.split(" ")
    body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
    return await gateway.client.request(
        method, path.format(**EXAMPLES), headers=headers, json=body, timeout=10
    )


async def nobody_is_let_in(gateway: Gateway, headers: dict[str, str]) -> None:
    took = []
    for route in GUARDED:
        begun = monotonic()
        answer = await ask(gateway, route, headers)
        took.append(monotonic() - begun)
        assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable"), route
        assert answer.headers["Retry-After"] == "1"
    assert sorted(took)[len(took) // 2] < AT_ONCE_S  # this machine may do other things meanwhile
    assert (await gateway.client.get(f"{BASE}/inventory/assets")).status_code == 200
    assert (await gateway.client.get("/health")).status_code == 200

    async def is_told() -> bool:
        ready = await gateway.client.get("/health/ready")
        return ready.status_code == 503 and ready.json()["components"]["sessions"] == "down"

    await until(is_told, "readiness names the sessions")


async def test_s53_a_store_that_is_stopped_or_wiped_lets_nobody_in_and_revives_nobody(
    environ: dict[str, str], own: RunFolder
) -> None:
    told = environ | {"ORDERSTREAM_SESSIONS": own.endpoints()["redis"]}
    ada = person()
    login = {name: ada[name] for name in ("username", "password")}
    async with running(told) as gateway:
        client = gateway.client
        await client.post(f"{BASE}/auth/register", json=ada)
        pair = (await client.post(f"{BASE}/auth/login", json=login)).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        assert (await client.get(f"{BASE}/auth/me", headers=headers)).status_code == 200

        stopped = kill(own, "redis", signal.SIGSTOP)
        await nobody_is_let_in(gateway, headers)
        shutil.rmtree(own.data("redis"))
        own.data("redis")
        assert kill(own, "redis") == stopped  # and it comes back empty
        await until(lambda: is_back(own, "redis", stopped), "Redis is back")

        async def is_over() -> bool:
            answer = await client.get(f"{BASE}/auth/me", headers=headers)
            assert answer.status_code in (401, 503)
            return answer.status_code == 401 and answer.json()["code"] == "session_revoked"

        await until(is_over, "the session is over")
        old = {"refresh_token": pair["refresh_token"]}
        refreshed = await client.post(f"{BASE}/auth/refresh", json=old)
        assert (refreshed.status_code, refreshed.json()["code"]) == (401, "session_revoked")
        await log_in(client, ada)
        wrong = login | {"password": "wrong horse"}
        tries = [await client.post(f"{BASE}/auth/login", json=wrong) for _ in range(FREE + 1)]
        assert [each.status_code for each in tries] == [401] * FREE + [429]
