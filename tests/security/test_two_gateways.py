"""One session at two gateways at once: row 18 of the security table."""

import asyncio
from operator import itemgetter

import pytest

from tests.gateway.test_process import environ, person, running

from .conftest import BASE, Client, bearer

__all__ = ["environ"]
TIMES = 100


async def refreshed(client: Client, token: str) -> tuple[int, dict[str, str]]:
    answer = await client.post(f"{BASE}/auth/refresh", json={"refresh_token": token})
    return answer.status_code, answer.json()


@pytest.mark.stack
async def test_s18_of_two_gateways_that_refresh_at_once_one_does(environ: dict[str, str]) -> None:
    ada = person()
    async with running(environ) as one, running(environ) as other:
        await one.client.post(f"{BASE}/auth/register", json=ada)
        login = {name: ada[name] for name in ("username", "password")}
        pair = (await one.client.post(f"{BASE}/auth/login", json=login)).json()
        for n in range(TIMES):
            first, second = (one, other) if n % 2 else (other, one)
            asked = [refreshed(each.client, pair["refresh_token"]) for each in (first, second)]
            answers = sorted(await asyncio.gather(*asked), key=itemgetter(0))
            (status, pair), (refused, body) = answers
            assert (status, refused, body["code"]) == (200, 409, "refresh_in_progress")
            assert not {"access_token", "refresh_token"} & body.keys()
            me = await other.client.get(f"{BASE}/auth/me", headers=bearer(pair["access_token"]))
            assert me.status_code == 200
