"""Clients that are cut off at random moments while their accounts are at work: nothing missed, nothing twice."""

from itertools import count

import httpx2
import pytest

from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.e2e.follower import Follower, compared, going_on, trade

FOLLOWERS, CUTS, LONGEST_S = 3, 60, 0.3

pytestmark = pytest.mark.stack


async def test_whoever_is_cut_off_misses_nothing_and_sees_nothing_twice(
    stack: RunFolder, http: httpx2.AsyncClient, customer: Customer
) -> None:
    followers = [Follower(http, customer, seed) for seed in range(FOLLOWERS)]
    async with going_on(followers, LONGEST_S):
        await customer.deposit("50000.00")
        seeds = count(1)
        while sum(each.cuts for each in followers) < CUTS:
            await trade(customer, 5, next(seeds))
        await compared(stack, customer, followers)
    cuts, told = sum(f.cuts for f in followers), sum(len(f.events) for f in followers)
    print(f"{cuts} cuts, {told} events, {sum(f.resets for f in followers)} resets")
    assert not any(f.resets for f in followers)
