"""Whether an account is frozen, of order.events: why, since when and who said so last."""

from events.codec import mirror
from events.envelope import Id, Millis, Offset, Token, Value
from events.order import AccountFrozen, AccountUnfrozen
from events.topics import ORDER_EVENTS
from infra.views.port import Kind

from .projection import Place


@mirror
class AccountRow(Value):
    """Of an account that was ever frozen. reason, actor, position: of the last word on it; since: when what is so
    began.
    """

    position: Offset
    frozen: bool
    reason: Token
    actor: Id | None
    since: Millis


ACCOUNT: Kind[AccountRow] = Kind(name="account", topic=ORDER_EVENTS, row=AccountRow, followed=True)
ONLY = "account"
"""The id of an account's one row."""


def apply(
    row: AccountRow | None, event: AccountFrozen | AccountUnfrozen, place: Place
) -> AccountRow:
    """Returns what is so of the account. A freeze of one that is frozen goes on since the first."""
    frozen = isinstance(event, AccountFrozen)
    return AccountRow(
        position=place.offset,
        frozen=frozen,
        reason=event.reason,
        actor=event.actor,
        since=row.since if row and row.frozen == frozen else event.occurred_at,
    )
