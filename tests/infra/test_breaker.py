"""The breaker before a store, by the clock that it has."""

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
