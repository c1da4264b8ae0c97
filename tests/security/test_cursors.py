"""Cursors can't be made, changed or lent: row 45 of the security table."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursors import Cursors
from gateway.problems import Refused
from tests.gateway.routes.conftest import Customer, customer, other

__all__ = ["customer", "other"]

CURSORS = Cursors(b"a key of this test")
BOUND = ("018f-a", "orders", None)
SEALED = CURSORS.seal("42", *BOUND)


def refused(cursor: str, *bound: object, cursors: Cursors = CURSORS) -> bool:
    with pytest.raises(Refused) as refusal:
        cursors.open(cursor, *bound)
    return refusal.value.code == "invalid_cursor"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=64))
def test_s45_a_cursor_leads_back_to_its_place(place: str) -> None:
    assert CURSORS.open(CURSORS.seal(place, *BOUND), *BOUND) == place


def test_s45_no_bit_of_it_can_be_changed() -> None:
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    for at, character in enumerate(SEALED):
        for bit in range(6):
            other = alphabet[alphabet.index(character) ^ 1 << bit]
            assert refused(SEALED[:at] + other + SEALED[at + 1 :], *BOUND)


@pytest.mark.parametrize(
    "bound",
    [("018f-b", "orders", None), ("018f-a", "trades", None), ("018f-a", "orders", "open"), ()],
)
def test_s45_it_is_good_for_nobody_and_nothing_else(bound: tuple[object, ...]) -> None:
    assert refused(SEALED, *bound)


def test_s45_parts_can_not_move_from_one_to_the_next() -> None:
    assert refused(CURSORS.seal("1", "a", "bc"), "ab", "c")


@pytest.mark.parametrize(
    "cursor", ["", "A", "AAAA", "=", "é", "!" * 64, "\x00", SEALED + "=", "a" * 4096]
)
def test_s45_what_is_none_is_refused(cursor: str) -> None:
    assert refused(cursor, *BOUND)


def test_s45_another_key_opens_nothing() -> None:
    assert refused(SEALED, *BOUND, cursors=Cursors(b"another key"))


@pytest.mark.parametrize(
    "path",
    [
        "/orders",
        "/trades",
        "/balance/transactions",
        "/assets/DOGE/transactions",
        "/inventory/assets",
    ],
)
@pytest.mark.parametrize("limit", ["0", "201", "-1", "1e3", "1.5", "", "x"])
async def test_s45_a_limit_has_bounds(customer: Customer, path: str, limit: str) -> None:
    assert await customer.refused(path, limit=limit) == (422, "validation_failed")


async def test_s45_a_cursor_is_good_for_its_list_and_its_owner_alone(
    customer: Customer, other: Customer
) -> None:
    await customer.deposit("3.00")
    for _ in range(2):
        await customer.order("buy", "DOGE", notional="1.00")
    cursor = (await customer.get("/orders", limit=1))["next_cursor"]
    for path, query in (
        ("/trades", {}),
        ("/orders", {"side": "buy"}),
        ("/orders", {"from": "2027-01-15T08:00:00Z"}),
        ("/balance/transactions", {}),
        ("/inventory/assets", {}),
    ):
        refused = await customer.refused(path, cursor=cursor, **query)
        assert refused == (400, "invalid_cursor"), path
    assert await other.refused("/orders", cursor=cursor) == (400, "invalid_cursor")
    assert await customer.refused("/orders", cursor="AAAA") == (400, "invalid_cursor")
    assert await customer.refused("/orders", cursor="a" * 129) == (422, "validation_failed")
