"""/admin: users, what they may do, whether they may at all, and what was done in their name."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from events.envelope import SAFE_INTEGER
from events.order import FreezeAccount, UnfreezeAccount
from events.topics import ORDER_COMMANDS
from events.user import RoleChanged
from gateway.as_of import shown as shown_as_of
from gateway.asking import AdminAsking, Asker
from gateway.audit import event, unpublished
from gateway.deps import ADMIN, Admin, Parts, PartsDep, RequestId
from gateway.listing import LIMIT, Cursor, Limit, Listing
from gateway.problems import Refused, Responses, refusals
from gateway.projections.accounts import ACCOUNT, ONLY, AccountRow
from gateway.projections.outcomes import OrderOutcome
from gateway.projections.trails import FREEZES, TRAIL, ActRow
from gateway.read_route import read
from gateway.reading import AdminReads
from gateway.route import Body, resource
from gateway.times import Timestamp
from gateway.users import UserView, view
from gateway.waiting import STEERING
from infra.stores.users import Role, User
from infra.views.port import One, Page

router = resource("admin")
USERS = "/users"
OF_STEERING = ("command_expired", "command_from_future", "idempotency_conflict", "log_unavailable")
ACCOUNT_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
AccountId = Annotated[str, Path(pattern=ACCOUNT_ID)]
TRAILS = (TRAIL, FREEZES)
TOP = (SAFE_INTEGER, SAFE_INTEGER)


class UsersView(BaseModel):
    """By name. next_cursor: leads to the rest; null: that was all."""

    items: list[UserView]
    next_cursor: str | None


class FreezeView(BaseModel):
    """by: the account of the admin who said so last; since: when what is so began, null if it never changed."""

    frozen: bool
    reason: str | None = None
    by: str | None = None
    since: Timestamp | None = None


PENDING: Responses = {202: {"model": FreezeView}}


class AccountView(UserView):
    freeze: FreezeView


class ActView(BaseModel):
    """type: the event's; actor: the admin's account; session: what tells the account's sessions apart; request_id:
    of the request that it came by.
    """

    id: str
    type: str
    actor: str | None
    session: str | None
    fields: str | None
    before: str | None
    after: str | None
    reason: str | None
    request_id: str
    created_at: Timestamp


class TrailView(Listing[ActView]):
    """Newest first."""


class Why(Body):
    """reason: a word for the log, never anything of a person's."""

    reason: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$", examples=["inquiry"])]


class NewRole(Body):
    role: Role = Field(examples=["admin"])


@router.get(USERS, responses=refusals("invalid_cursor"))
async def list_users(
    admin: Admin, parts: PartsDep, limit: Limit = LIMIT, cursor: Cursor = None
) -> UsersView:
    """Returns the users."""
    bound = ("users", admin.id)
    after = parts.cursors.open(cursor, *bound) if cursor else ""
    found = await parts.users.page(after, limit + 1)
    page = found[:limit]
    rest = len(found) > limit
    return UsersView(
        items=[view(user) for user in page],
        next_cursor=parts.cursors.seal(page[-1].username, *bound) if rest else None,
    )


@router.get(USERS + "/{account_id}", dependencies=[ADMIN], responses=refusals("not_found"))
async def one_user(account_id: AccountId, parts: PartsDep) -> AccountView:
    """Returns the user, and whether the account is frozen. Raises: Refused with not_found."""
    user = await known(parts, account_id)
    _, row = await parts.view.read(account_id, One(ACCOUNT, ONLY))
    return AccountView(**dict(view(user)), freeze=shown(row))


@router.post(
    USERS + "/{account_id}/freeze",
    responses=PENDING | refusals("not_found", *OF_STEERING),
)
async def freeze(account_id: AccountId, body: Why, asking: AdminAsking) -> FreezeView:
    """Returns that the account is frozen: it neither orders nor withdraws, its open orders run on.

    202 if that is not known in time. Raises: Refused with not_found.
    """
    await known(asking.parts, account_id)
    command = FreezeAccount(
        **asking.envelope(body, about=account_id), reason=body.reason, actor=asking.account.id
    )
    return await steer(asking, command)


@router.post(
    USERS + "/{account_id}/unfreeze",
    responses=PENDING | refusals("not_found", *OF_STEERING),
)
async def unfreeze(account_id: AccountId, body: Why, asking: AdminAsking) -> FreezeView:
    """Returns that the account is not frozen any more. 202 if that is not known in time.

    Raises: Refused with not_found.
    """
    await known(asking.parts, account_id)
    command = UnfreezeAccount(
        **asking.envelope(body, about=account_id), reason=body.reason, actor=asking.account.id
    )
    return await steer(asking, command)


@read(router, "/audit", "invalid_cursor")
async def audit_trail(
    *,
    reads: AdminReads,
    account_id: Annotated[str, Query(pattern=ACCOUNT_ID)],
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> TrailView:
    """Returns what was done in the account's name and to it; failed logins under names that nobody has are those of
    the account of zeros.
    """
    cursors = reads.parts.cursors
    bound = ("audit", reads.account.id, account_id)
    before = [int(at) for at in cursors.open(cursor, *bound).split(":")] if cursor else [*TOP]
    asks = [Page(kind, limit, at) for kind, at in zip(TRAILS, before, strict=True)]
    as_of, *pages = await reads.view.read(account_id, *asks)
    found = [(row.created_at, n, row) for n, page in enumerate(pages) for row in page.rows]
    taken = sorted(found, key=lambda each: each[:2], reverse=True)[:limit]
    for _, n, row in taken:
        before[n] = row.position
    rest = len(taken) < len(found) or any(page.more for page in pages)
    return TrailView(
        items=[act(row) for _, _, row in taken],
        next_cursor=cursors.seal(":".join(map(str, before)), *bound) if rest else None,
        as_of=shown_as_of(as_of),
    )


def act(row: ActRow) -> ActView:
    return ActView(
        id=row.id,
        type=row.what,
        actor=row.actor,
        session=row.session,
        fields=row.fields,
        before=row.before,
        after=row.after,
        reason=row.reason,
        request_id=row.correlation_id,
        created_at=row.created_at,
    )


async def steer(asking: Asker, command: FreezeAccount | UnfreezeAccount) -> FreezeView:
    """Returns what is so of the account once the order service has said so, else what shall be."""
    taken = await asking.submit(ORDER_COMMANDS, STEERING, command)
    meant = FreezeView(
        frozen=isinstance(command, FreezeAccount), reason=command.reason, by=command.actor
    )
    if taken.rows is None:
        asking.accept(f"/admin/users/{command.account_id}")
        return meant
    outcome: OrderOutcome = taken.rows[0]
    if outcome.reason:
        raise asking.refused(outcome.reason, meant)
    _, row = await asking.parts.view.read(command.account_id, One(ACCOUNT, ONLY))
    return shown(row)


def shown(row: AccountRow | None) -> FreezeView:
    if row is None:
        return FreezeView(frozen=False)
    return FreezeView(frozen=row.frozen, reason=row.reason, by=row.actor, since=row.since)


@router.put(
    USERS + "/{account_id}/role",
    responses=refusals("not_found", "own_role", "last_admin", "changed_meanwhile"),
)
async def set_role(
    account_id: AccountId, body: NewRole, admin: Admin, parts: PartsDep, request_id: RequestId
) -> UserView:
    """Returns the user, whose open sessions have the role at once.

    Raises: Refused with not_found, own_role, last_admin, changed_meanwhile.
    """
    if account_id == admin.id:
        raise Refused("own_role")
    user = await known(parts, account_id)
    if user.role != body.role:
        told = event(
            RoleChanged,
            account_id,
            parts.now(),
            request_id,
            actor=admin.id,
            before=user.role,
            after=body.role,
        )
        granted = await parts.users.grant(user, body.role, unpublished(told))
        if granted != "changed":
            raise Refused(granted)
        await parts.trail.deliver(told)
    # Also of one that has it already: whoever granted it may have died before its sessions heard of it.
    await parts.sessions.set_role(account_id, body.role)
    return view(user._replace(role=body.role))


async def known(parts: Parts, account_id: str) -> User:
    """Returns the user. Raises: Refused with not_found."""
    user = await parts.users.by_id(account_id)
    if user is None:
        raise Refused("not_found")
    return user
