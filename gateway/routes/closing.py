"""/auth/close: a user goes, and what the edge knows of the person with him."""

from fastapi import Response

from events.user import UserErased
from gateway.audit import event, unpublished
from gateway.cookies import clear
from gateway.deps import Customer, Parts, PartsDep, RequestId
from gateway.logins import Logins
from gateway.problems import Refused, refusals
from gateway.projections.orders import ORDER
from gateway.route import Body, resource
from gateway.routes.assets import POSITIONS
from gateway.routes.balance import FUNDS
from gateway.users import Password
from infra.views.port import Page

router = resource("auth")


class Farewell(Body):
    password: Password


@router.post(
    "/close",
    status_code=204,
    response_class=Response,
    responses=refusals(
        "invalid_credentials", "account_not_empty", "last_admin", "changed_meanwhile", "overloaded"
    ),
)
async def close_account(
    body: Farewell, account: Customer, parts: PartsDep, request_id: RequestId, response: Response
) -> None:
    """Erases user name, e-mail, names and password, and ends every session. The log keeps the account's id.

    Raises: Refused with invalid_credentials, account_not_empty, last_admin, changed_meanwhile.
    """
    user = await Logins(parts, request_id).check(account.username, body.password.get_secret_value())
    await require_empty(parts, account.id)
    await parts.sessions.end_all(account.id, but=account.session_id)
    await require_empty(parts, account.id)  # as its other sessions have left it
    told = event(UserErased, account.id, parts.now(), request_id)
    erased = await parts.users.erase(user, unpublished(told))
    if erased != "erased":
        raise Refused(erased)
    await parts.sessions.end_all(account.id)
    await parts.trail.deliver(told)
    if account.browser:
        clear(response)


async def require_empty(parts: Parts, account_id: str) -> None:
    """Raises: Refused with account_not_empty; NotReady, Lagging, Unavailable if nobody can tell."""
    asks = FUNDS, POSITIONS, Page(ORDER, 1, open=True)
    _, balance, positions, orders = await parts.view.read(account_id, *asks)
    held = [row for row in (balance, *positions.values()) if row and row.available + row.held]
    if held or orders.rows:
        raise Refused("account_not_empty")
