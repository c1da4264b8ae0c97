"""What an admin does: `client.admin`, of a client whose user is one."""

from collections.abc import AsyncIterator
from typing import Literal

from . import models
from .answers import WAIT, Answer
from .calls import Calls, quoted
from .reads import Reads

Role = Literal["customer", "admin"]


class Admin:
    """account_id: whom it concerns, a UUID. All raise Problem, with forbidden for anybody else; NoAnswer."""

    def __init__(self, calls: Calls, reads: Reads) -> None:
        self._calls, self._reads = calls, reads

    def users(self) -> AsyncIterator[models.UserView]:
        """Returns an iterator over all users, by name."""
        # the users' store is no view of the log: no position is waited for
        return Reads(self._calls).pages(models.UserView, "/admin/users", {})

    async def user(self, account_id: str) -> models.AccountView:
        """Returns the user, and whether the account is frozen."""
        return await self._calls.get(models.AccountView, path(account_id))

    async def freeze(
        self, account_id: str, reason: str, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.FreezeView]:
        """Returns that the account neither orders nor withdraws, done or pending. reason: a word for the log, nothing
        of a person's; key: the command's name, for ever; wait: s.
        """
        body = {"reason": reason}
        where = f"{path(account_id)}/freeze"
        return await self._calls.command(models.FreezeView, where, body, key, wait)

    async def unfreeze(
        self, account_id: str, reason: str, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.FreezeView]:
        """Returns that the account is free again, done or pending. The rest: as of `freeze`."""
        body = {"reason": reason}
        where = f"{path(account_id)}/unfreeze"
        return await self._calls.command(models.FreezeView, where, body, key, wait)

    async def set_role(self, account_id: str, role: Role) -> models.UserView:
        """Returns the user as it is now; his open sessions have the role at once."""
        answer = await self._calls.ask("PUT", f"{path(account_id)}/role", body={"role": role})
        return models.UserView.model_validate_json(answer.content)

    def audit(self, account_id: str) -> AsyncIterator[models.ActView]:
        """Returns an iterator over what was done in the account's name and to it, newest first."""
        query = {"account_id": account_id}
        return self._reads.pages(models.ActView, "/admin/audit", query)


def path(account_id: str) -> str:
    return f"/admin/users/{quoted(account_id)}"
