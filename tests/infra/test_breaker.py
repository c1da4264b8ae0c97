"""The breaker before a store, by the clock that it has."""

import asyncio

import pytest

from infra.breaker import PAUSE_MS, Breaker
from infra.log.clock import alive_ms
from infra.unavailable import Unavailable


def fail(breaker: Breaker) -> None:
    with pytest.raises(Unavailable, match="store"), breaker:
        raise Unavailable("store")


def test_who_comes_after_a_failure_is_told_at_once_and_later_ones_try() -> None:
    breaker, tried = Breaker("store"), 0
    fail(breaker)
    began = alive_ms()
    while True:  # until the breaker lets one through
        try:
            with breaker:
                tried += 1
            break
        except Unavailable:
            assert tried == 0
    assert alive_ms() - began >= PAUSE_MS - 10
    with breaker:
        tried += 1
    assert tried == 2


def test_what_is_no_absence_shuts_nothing() -> None:
    breaker = Breaker("store")
    with pytest.raises(ValueError, match="wrong"), breaker:
        raise ValueError("wrong")
    with breaker:
        pass


def shut(breaker: Breaker) -> None:
    with pytest.raises(Unavailable, match="store"), breaker:
        raise AssertionError("it let somebody in")


async def test_while_one_tries_again_the_others_stay_out() -> None:
    breaker = Breaker("store")
    fail(breaker)
    await asyncio.sleep(PAUSE_MS / 1_000)
    with breaker:
        shut(breaker)
    with breaker, breaker:
        pass


async def test_one_who_tries_and_leaves_has_found_out_nothing() -> None:
    breaker = Breaker("store")
    fail(breaker)
    await asyncio.sleep(PAUSE_MS / 1_000)
    with pytest.raises(asyncio.CancelledError), breaker:
        raise asyncio.CancelledError
    with breaker:
        shut(breaker)


async def test_what_takes_too_long_is_away() -> None:
    breaker = Breaker("store")
    with pytest.raises(Unavailable, match="store"):
        async with breaker.within(10):
            await asyncio.Event().wait()
    shut(breaker)
