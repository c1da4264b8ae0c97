"""/admin: users, what they may do, and whether they may at all."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from events.user import RoleChanged
from gateway.audit import event, unpublished
from gateway.deps import Admin, Parts, PartsDep, RequestId
from gateway.listing import LIMIT, Cursor, Limit
from gateway.problems import Refused, refusals
from gateway.route import Body, resource
from gateway.users import UserView, view
from infra.stores.users import Role, User

router = resource("admin")
USERS = "/users"
AccountId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class UsersView(BaseModel):
    """By name. next_cursor: leads to the rest; null: that was all."""

    items: list[UserView]
    next_cursor: str | None


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


@router.get(USERS + "/{account_id}", responses=refusals("not_found"))
async def one_user(account_id: AccountId, _: Admin, parts: PartsDep) -> UserView:
    """Returns the user. Raises: Refused with not_found."""
    return view(await known(parts, account_id))


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
