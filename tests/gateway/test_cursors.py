"""Cursors can't be made, changed or lent."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursors import Cursors
from gateway.problems import Refused

CURSORS = Cursors(b"a key of this test")
BOUND = ("018f-a", "orders", None)
SEALED = CURSORS.seal("42", *BOUND)


def refused(cursor: str, *bound: object, cursors: Cursors = CURSORS) -> bool:
    with pytest.raises(Refused) as refusal:
        cursors.open(cursor, *bound)
    return refusal.value.code == "invalid_cursor"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=64))
def test_a_cursor_leads_back_to_its_place(place: str) -> None:
    assert CURSORS.open(CURSORS.seal(place, *BOUND), *BOUND) == place


def test_no_bit_of_it_can_be_changed() -> None:
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    for at, character in enumerate(SEALED):
        for bit in range(6):
            other = alphabet[alphabet.index(character) ^ 1 << bit]
            assert refused(SEALED[:at] + other + SEALED[at + 1 :], *BOUND)


@pytest.mark.parametrize(
    "bound",
    [("018f-b", "orders", None), ("018f-a", "trades", None), ("018f-a", "orders", "open"), ()],
)
def test_it_is_good_for_nobody_and_nothing_else(bound: tuple[object, ...]) -> None:
    assert refused(SEALED, *bound)


def test_parts_can_not_move_from_one_to_the_next() -> None:
    assert refused(CURSORS.seal("1", "a", "bc"), "ab", "c")


@pytest.mark.parametrize(
    "cursor", ["", "A", "AAAA", "=", "é", "!" * 64, "\x00", SEALED + "=", "a" * 4096]
)
def test_what_is_none_is_refused(cursor: str) -> None:
    assert refused(cursor, *BOUND)


def test_another_key_opens_nothing() -> None:
    assert refused(SEALED, *BOUND, cursors=Cursors(b"another key"))
