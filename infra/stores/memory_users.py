"""The twin of the user store."""

from collections.abc import Sequence
from typing import Literal

from .users import Erasure, Grant, Item, Role, Taken, Unpublished, User, attributes, user_of


class MemoryUsers:
    """The twin: as strict about names and conditions, and what it gives out went through the same items."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.names: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.outbox: dict[str, bytes] = {}

    def _admins(self) -> int:
        return sum(item["role"] == {"S": "admin"} for item in self.items.values())

    async def register(self, user: User, event: Unpublished) -> Taken | None:
        if user.username in self.names:
            return "username_taken"
        if user.email in self.emails:
            return "email_taken"
        self.names[user.username] = self.emails[user.email] = user.account_id
        self.items[user.account_id] = attributes(user)
        self.outbox[event.id] = event.event
        return None

    async def by_id(self, account_id: str) -> User | None:
        item = self.items.get(account_id)
        return user_of(item) if item else None

    async def by_name(self, username: str) -> User | None:
        return await self.by_id(self.names.get(username, ""))

    async def replace_hash(
        self, account_id: str, *, old: str, new: str, event: Unpublished | None = None
    ) -> bool:
        item = self.items.get(account_id)
        if item is None or item["password_hash"] != {"S": old}:
            return False
        item["password_hash"] = {"S": new}
        if event:
            await self.keep(event)
        return True

    async def change(
        self, old: User, new: User, event: Unpublished
    ) -> Literal["email_taken", "changed_meanwhile"] | None:
        if await self.by_id(old.account_id) != old:
            return "changed_meanwhile"
        if self.emails.get(new.email, old.account_id) != old.account_id:
            return "email_taken"
        del self.emails[old.email]
        self.emails[new.email] = old.account_id
        self.items[old.account_id] = attributes(new._replace(version=old.version + 1))
        await self.keep(event)
        return None

    async def grant(self, user: User, role: Role, event: Unpublished) -> Grant:
        if await self.by_id(user.account_id) != user:
            return "changed_meanwhile"
        if role != "admin" and self._admins() < 2:
            return "last_admin"
        changed = user._replace(role=role, version=user.version + 1)
        self.items[user.account_id] = attributes(changed)
        await self.keep(event)
        return "changed"

    async def erase(self, user: User, event: Unpublished) -> Erasure:
        if await self.by_id(user.account_id) != user:
            return "changed_meanwhile"
        if user.role == "admin" and self._admins() < 2:
            return "last_admin"
        del self.items[user.account_id], self.names[user.username], self.emails[user.email]
        await self.keep(event)
        return "erased"

    async def page(self, after: str, limit: int) -> Sequence[User]:
        names = sorted(name for name in self.names if name > after)[:limit]
        return [user for name in names if (user := await self.by_name(name))]

    async def keep(self, event: Unpublished) -> None:
        self.outbox[event.id] = event.event

    async def unpublished(self, limit: int) -> list[Unpublished]:
        return [Unpublished(*entry) for entry in sorted(self.outbox.items())[:limit]]

    async def forget(self, event_id: str) -> None:
        self.outbox.pop(event_id, None)
