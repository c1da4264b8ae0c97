"""The security audit trail of an account: what was done in its name and to it, of user.events and order.events."""

from events.codec import mirror
from events.envelope import Id, Millis, Offset, Token, Value
from events.order import AccountFrozen, AccountUnfrozen
from events.topics import ORDER_EVENTS, USER_EVENTS
from events.user import UserMessage
from infra.views.port import Kind

from .projection import NEWEST, Place


@mirror
class ActRow(Value):
    """One act. what: its event's type; actor: the admin's account, if it was one; session: what tells sessions apart;
    the rest as its event has it.
    """

    id: Id
    position: Offset
    what: Token
    actor: Id | None
    session: Token | None
    fields: Token | None
    before: Token | None
    after: Token | None
    reason: Token | None
    correlation_id: Token
    created_at: Millis


TRAIL: Kind[ActRow] = Kind(
    name="trail.u",
    topic=USER_EVENTS,
    row=ActRow,
    listed=lambda row: row.position,
    newest=NEWEST,
)
FREEZES: Kind[ActRow] = Kind(
    name="trail.o",
    topic=ORDER_EVENTS,
    row=ActRow,
    listed=lambda row: row.position,
    newest=NEWEST,
)


def act(
    _: ActRow | None, event: UserMessage | AccountFrozen | AccountUnfrozen, place: Place
) -> ActRow:
    """Returns the act's line."""
    return ActRow(
        id=event.id,
        position=place.offset,
        what=event.type,
        actor=getattr(event, "actor", None),
        session=getattr(event, "session", None),
        fields=getattr(event, "fields", None),
        before=getattr(event, "before", None),
        after=getattr(event, "after", None),
        reason=getattr(event, "reason", None),
        correlation_id=event.correlation_id,
        created_at=event.occurred_at,
    )
