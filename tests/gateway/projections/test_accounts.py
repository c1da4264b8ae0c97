"""What the views show of an account that was frozen."""

from events.codec import encode
from events.order import AccountFrozen, AccountUnfrozen
from gateway.projections.accounts import ACCOUNT, AccountRow, apply
from gateway.projections.projection import Place
from tests.messages.envelope import NOW, stamped
from tests.messages.orders import ADMIN, freeze, frozen, unfreeze, unfrozen


def after(*events: AccountFrozen | AccountUnfrozen) -> AccountRow | None:
    """Returns the row after these events, one a second."""
    row = None
    for n, event in enumerate(events):
        at = NOW + 1_000 * n
        row = apply(row, stamped(event, at=at), Place(n, at))
        assert ACCOUNT.decode(encode(row)) == row
    return row


FROZEN, THAWED = frozen(freeze()), unfrozen(unfreeze())


def test_it_says_why_since_when_and_who_said_so() -> None:
    assert after(FROZEN) == AccountRow(
        position=0, frozen=True, reason="inquiry", actor=ADMIN, since=NOW
    )
    assert after(FROZEN, THAWED) == AccountRow(
        position=1, frozen=False, reason="cleared", actor=ADMIN, since=NOW + 1_000
    )


def test_who_is_frozen_again_is_so_since_the_first_time_for_the_newest_reason() -> None:
    again = frozen(freeze(reason="court_order", actor=None))
    assert after(FROZEN, again) == AccountRow(
        position=1, frozen=True, reason="court_order", actor=None, since=NOW
    )
    assert after(FROZEN, THAWED, FROZEN) == AccountRow(
        position=2, frozen=True, reason="inquiry", actor=ADMIN, since=NOW + 2_000
    )
