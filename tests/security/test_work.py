"""Another's thing takes as much as no thing: row 26 of the security table, by what is done, not by the clock."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from .conftest import BASE, Client, registered, session
from .test_others import WAYS, Things, body_of, eve
from .work import done

__all__ = ["eve"]


def asking(
    client: Client, route: str, path: str, headers: dict[str, str]
) -> Callable[[], Awaitable[httpx2.Response]]:
    method, url = route.partition(" ")[0], f"{BASE}{path}"
    return lambda: client.request(method, url, headers=headers, json=body_of(route))


@pytest.mark.parametrize(("route", "name"), WAYS, ids=lambda each: each)
async def test_s26_another_s_thing_takes_the_same_steps_as_no_thing(
    client: Client, eve: Things, route: str, name: str
) -> None:
    await registered(client)
    ada = await session(client)
    status, way = WAYS[route, name]
    asks = [asking(client, route, path, ada) for path in way(eve)]
    assert {(await ask()).status_code for ask in asks} == {status}  # what is remembered is, then
    theirs, nobody_s = [await done(ask) for ask in asks]
    assert len(theirs) > 100
    assert theirs == nobody_s


async def test_s26_one_s_own_thing_takes_other_steps(client: Client, eve: Things) -> None:
    """Else nothing would be seen of what a look-up finds."""
    route, way = "GET /orders/{order_id}", WAYS["GET /orders/{order_id}", "order_id"][1]
    eves = await session(client, "eve")
    own, none = [await done(asking(client, route, path, eves)) for path in way(eve)]
    assert own != none
