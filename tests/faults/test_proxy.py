"""The proxy does what its faults say: before a peer that echoes, and before a real broker."""

import asyncio
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from random import Random
from time import monotonic

import pytest

from tests.faults.proxy import (
    Api,
    Fault,
    Hold,
    Proxy,
    Stream,
    answer_half_open,
    calm,
    delay,
    delay_answer,
    double,
    either,
    half_open,
    lose_answer,
    lose_request,
    strike,
    tear,
    unharmed,
    weather,
)

LATE_MS = 50
PRODUCE, FETCH = (api.to_bytes(2) + b" of a request" for api in (Api.PRODUCE, Api.FETCH))


class Echo:
    """Answers every frame with itself. arrived: all of them."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        peer = Stream(reader, writer)
        with suppress(IncompleteReadError):
            while True:
                self.arrived.append(await peer.take())
                await peer.put(self.arrived[-1])
        writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def client_of(proxy: Proxy) -> Stream:
    return Stream(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def ask(proxy: Proxy, *requests: bytes) -> list[bytes]:
    """Returns the answers that come before the connection ends."""
    client = await client_of(proxy)
    answers: list[bytes] = []
    with suppress(IncompleteReadError, ConnectionError):
        for request in requests:
            await client.put(request)
            answers.append(await client.take())
    client.writer.close()
    return answers


async def test_what_is_not_struck_passes_in_order(proxy: Proxy, echo: Echo) -> None:
    proxy.choice = strike(lose_request, Api.END_TXN)
    assert await ask(proxy, PRODUCE, FETCH, PRODUCE) == [PRODUCE, FETCH, PRODUCE]
    assert not proxy.struck


@pytest.mark.parametrize(
    ("fault", "answers", "arrived"),
    [
        (lose_request, [FETCH], [FETCH]),
        (tear, [FETCH], [FETCH]),
        (lose_answer, [FETCH], [FETCH, PRODUCE]),
        (double, [FETCH, PRODUCE, FETCH], [FETCH, PRODUCE, PRODUCE, FETCH]),
    ],
)
async def test_a_fault_strikes_the_kind_of_request_that_it_is_for(
    proxy: Proxy, echo: Echo, fault: Fault, answers: list[bytes], arrived: list[bytes]
) -> None:
    proxy.choice = strike(fault, Api.PRODUCE)
    assert await ask(proxy, FETCH, PRODUCE, FETCH) == answers
    assert echo.arrived == arrived
    assert proxy.struck == {Api.PRODUCE: 1}


@pytest.mark.parametrize("late", [delay, delay_answer])
async def test_a_late_one_holds_back_what_is_behind_it(
    proxy: Proxy, late: Callable[[int], Fault]
) -> None:
    proxy.choice = strike(late(LATE_MS), Api.PRODUCE)
    client, begun = await client_of(proxy), monotonic()
    await client.put(PRODUCE)
    await client.put(FETCH)
    assert [await client.take(), await client.take()] == [PRODUCE, FETCH]
    assert monotonic() - begun >= LATE_MS / 1000
    client.writer.close()


@pytest.mark.parametrize(("fault", "arrived"), [(half_open, []), (answer_half_open, [PRODUCE])])
async def test_a_half_open_connection_is_silent_until_the_client_gives_up(
    proxy: Proxy, echo: Echo, fault: Fault, arrived: list[bytes]
) -> None:
    proxy.choice = strike(fault, Api.PRODUCE)
    client = await client_of(proxy)
    await client.put(PRODUCE)
    await client.put(FETCH)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(LATE_MS / 1000):
            await client.take()
    client.writer.close()
    assert echo.arrived == arrived
    assert await ask(proxy, FETCH) == [FETCH]


async def test_what_was_held_arrives_when_it_is_released(proxy: Proxy, echo: Echo) -> None:
    hold = Hold()
    proxy.choice = strike(hold, Api.PRODUCE, times=1)
    assert await ask(proxy, PRODUCE) == []
    await hold.came()
    assert await ask(proxy, PRODUCE) == [PRODUCE]
    assert await hold.release(proxy.inside) == [PRODUCE]
    assert echo.arrived == [PRODUCE, PRODUCE]
    assert hold.kept == []


async def test_a_cut_ends_all_connections_and_lets_new_ones_in(proxy: Proxy) -> None:
    client = await client_of(proxy)
    await client.put(FETCH)
    await client.take()
    proxy.cut()
    with pytest.raises(IncompleteReadError):
        await client.take()
    client.writer.close()
    assert await ask(proxy, FETCH) == [FETCH]


def test_the_same_seed_makes_the_same_weather() -> None:
    def drawn(seed: int) -> list[Fault]:
        choice = weather(Random(seed), [tear, double], {Api.PRODUCE: 3})
        return [choice(api) for api in (Api.PRODUCE, Api.FETCH) * 50]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)[::2]) == {tear, double, unharmed}
    assert set(drawn(1)[1::2]) == {unharmed} == {calm(Api.PRODUCE)}


def test_the_first_of_two_choices_goes_before() -> None:
    choice = either(strike(tear, Api.PRODUCE), strike(double, Api.PRODUCE, Api.FETCH))
    assert [choice(api) for api in (Api.PRODUCE, Api.FETCH, Api.END_TXN)] == [
        tear,
        double,
        unharmed,
    ]
