"""Who may log in: user names and e-mails are unique, and password hashes never leave this store.

What changes a user and the event that tells of it are one transaction; whoever publishes the event deletes it
afterwards (a transactional outbox).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

import stamina
from botocore.exceptions import ClientError

from infra.breaker import Breaker
from infra.unavailable import Unavailable

from .dynamodb import answering, cancellations, ensure_table

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

Role = Literal["customer", "admin"]
Taken = Literal["username_taken", "email_taken"]
Erasure = Literal["erased", "changed_meanwhile", "last_admin"]
Grant = Literal["changed", "changed_meanwhile", "last_admin"]
Item = dict[str, Any]
TABLE = "users"
ANSWER_WITHIN = 1_500  # ms
NOBODY = "nobody"
"""The id of no account."""


class User(NamedTuple):
    """created_at: ms since the epoch; password_hash: in PHC's string format; version: of all but the hash."""

    account_id: str
    username: str
    email: str
    password_hash: str
    created_at: int
    role: Role = "customer"
    first_name: str | None = None
    last_name: str | None = None
    version: int = 0


NUMBERS = ("created_at", "version")
ZERO = {"N": "0"}


class Unpublished(NamedTuple):
    """An event that waits for its topic. id: the event's own, which ascends with time."""

    id: str
    event: bytes


class Users(Protocol):
    """Raises Unavailable wherever the store does not answer."""

    async def register(self, user: User, event: Unpublished) -> Taken | None:
        """Returns which name is taken, the user's first; None: user and event are stored."""

    async def by_id(self, account_id: str) -> User | None: ...

    async def by_name(self, username: str) -> User | None: ...

    async def replace_hash(
        self, account_id: str, *, old: str, new: str, event: Unpublished | None = None
    ) -> bool:
        """Returns whether the hash was replaced: only if it was still the old one. The event tells of it."""

    async def change(
        self, old: User, new: User, event: Unpublished
    ) -> Literal["email_taken", "changed_meanwhile"] | None:
        """Returns why e-mail and names did not become the new ones': only if the user's version is the old one.

        None: they did, and the version is one higher.
        """

    async def grant(self, user: User, role: Role, event: Unpublished) -> Grant:
        """Returns whether the user has another role now: only if he was not the last admin, and none changed it."""

    async def erase(self, user: User, event: Unpublished) -> Erasure:
        """Returns whether the store knows nothing of the user any more, and his names are free: only if he was not the
        last admin, and none changed him.
        """

    async def page(self, after: str, limit: int) -> Sequence[User]:
        """Returns so many users by name, the first one after that name."""

    async def keep(self, event: Unpublished) -> None:
        """Stores an event that could not be published yet."""

    async def unpublished(self, limit: int) -> list[Unpublished]:
        """Returns the oldest events that wait for their topic."""

    async def forget(self, event_id: str) -> None:
        """Deletes an event that is published; it is no error if that was done before."""


class Conflict(Unavailable):
    """Two transactions on one item met in flight; whoever was first is known a moment later."""


async def ensure_tables(client: "DynamoDBClient", table: str = TABLE) -> list[str]:
    """Returns the names of the tables that had to be made."""
    return [table] if await ensure_table(client, table) else []


class DynamoUsers:
    """One table: name#NAME and email#EMAIL (locks), user#ID, names (all, for a list), the number of admins, and the
    outbox by event id.
    """

    def __init__(self, client: "DynamoDBClient", table: str = TABLE) -> None:
        self.client = client
        self.table = table
        self._breaker = Breaker("dynamodb")

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Raises: Unavailable if a call inside got no answer in time."""
        async with self._breaker.within(ANSWER_WITHIN):
            with answering():
                yield

    async def register(self, user: User, event: Unpublished) -> Taken | None:
        owner = {"account_id": {"S": user.account_id}}
        admins = [self._count_admins(1)] if user.role == "admin" else []
        username, email, *_ = await self._transact(
            self._put(key(f"name#{user.username}", "lock") | owner),
            self._put(key(f"email#{user.email}", "lock") | owner),
            self._put(key(f"user#{user.account_id}", "user") | attributes(user)),
            self._put(key("names", user.username) | owner),
            self._put(outbox_item(event)),
            *admins,
        )
        if username == "ConditionalCheckFailed":
            return "username_taken"
        return "email_taken" if email == "ConditionalCheckFailed" else None

    def _put(self, item: Item) -> Item:
        """Returns the part of a transaction that puts a new item."""
        condition = "attribute_not_exists(pk)"
        return {"Put": {"TableName": self.table, "Item": item, "ConditionExpression": condition}}

    def _update(self, at: Item, update: str, condition: str, values: Item) -> Item:
        """Returns the part of a transaction that changes an item."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": at,
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _standing(self, user: User) -> Item:
        """Returns the condition that the user is as he was when he was read."""
        stands = "password_hash = :hash AND (version = :was OR attribute_not_exists(version))"
        return {
            "TableName": self.table,
            "ConditionExpression": stands,
            "ExpressionAttributeValues": {
                ":hash": {"S": user.password_hash},
                ":was": {"N": str(user.version)},
            },
        }

    def _replace(self, old: User, new: User) -> Item:
        """Returns the part of a transaction that puts one version of a user in the other's place."""
        item = at_user(old) | attributes(new)
        return {"Put": {"Item": item, **self._standing(old)}}

    def _delete(self, pk: str, sk: str) -> Item:
        """Returns the part of a transaction that deletes an item."""
        return {"Delete": {"TableName": self.table, "Key": key(pk, sk)}}

    def _count_admins(self, by: int) -> Item:
        """Returns the part of a transaction that keeps the count, which never falls to zero."""
        fits = "attribute_not_exists(admins) OR admins > :least"
        values = {":by": {"N": str(by)}, ":least": {"N": str(-by)}}
        return self._update(key("admins", "count"), "ADD admins :by", fits, values)

    @stamina.retry(on=Conflict, attempts=8, timeout=2, wait_initial=0.01, wait_jitter=0.02)
    async def _transact(self, *parts: Item) -> list[str]:
        """Returns why each part could not be done; "None" for all of them: they are."""
        try:
            async with self._answering():
                await self.client.transact_write_items(TransactItems=cast("Any", parts))
        except ClientError as refusal:
            reasons = cancellations(refusal)
            if "ConditionalCheckFailed" in reasons:
                return reasons
            if "TransactionConflict" in reasons:
                raise Conflict("dynamodb") from refusal
            raise
        return ["None"] * len(parts)

    async def by_id(self, account_id: str) -> User | None:
        item = await self._get(f"user#{account_id}", "user")
        return user_of(item) if item else None

    async def by_name(self, username: str) -> User | None:
        lock = await self._get(f"name#{username}", "lock")
        return await self.by_id(lock["account_id"]["S"] if lock else NOBODY)  # as late for both

    async def replace_hash(
        self, account_id: str, *, old: str, new: str, event: Unpublished | None = None
    ) -> bool:
        values = {":new": {"S": new}, ":old": {"S": old}}
        hashed, *_ = await self._transact(
            self._update(
                key(f"user#{account_id}", "user"),
                "SET password_hash = :new",
                "password_hash = :old",
                values,
            ),
            *([self._put(outbox_item(event))] if event else ()),
        )
        return hashed == "None"

    async def change(
        self, old: User, new: User, event: Unpublished
    ) -> Literal["email_taken", "changed_meanwhile"] | None:
        owner = {"account_id": {"S": old.account_id}}
        locks = [
            self._put(key(f"email#{new.email}", "lock") | owner),
            self._delete(f"email#{old.email}", "lock"),
        ]
        changed, _, *locked = await self._transact(
            self._replace(old, new._replace(version=old.version + 1)),
            self._put(outbox_item(event)),
            *(locks if new.email != old.email else ()),
        )
        if changed == "ConditionalCheckFailed":
            return "changed_meanwhile"
        return "email_taken" if "ConditionalCheckFailed" in locked else None

    async def grant(self, user: User, role: Role, event: Unpublished) -> Grant:
        by = 1 if role == "admin" else -1
        changed, counted, _ = await self._transact(
            self._replace(user, user._replace(role=role, version=user.version + 1)),
            self._count_admins(by),
            self._put(outbox_item(event)),
        )
        if changed == "ConditionalCheckFailed":
            return "changed_meanwhile"
        return "last_admin" if counted == "ConditionalCheckFailed" else "changed"

    async def erase(self, user: User, event: Unpublished) -> Erasure:
        deleted, *_, counted = await self._transact(
            {"Delete": {"Key": at_user(user), **self._standing(user)}},
            self._put(outbox_item(event)),
            self._delete(f"name#{user.username}", "lock"),
            self._delete(f"email#{user.email}", "lock"),
            self._delete("names", user.username),
            *([self._count_admins(-1)] if user.role == "admin" else []),
        )
        if deleted == "ConditionalCheckFailed":
            return "changed_meanwhile"
        return "last_admin" if counted == "ConditionalCheckFailed" else "erased"

    async def page(self, after: str, limit: int) -> Sequence[User]:
        async with self._answering():
            listed = await self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :names AND sk > :after",
                ExpressionAttributeValues={":names": {"S": "names"}, ":after": {"S": after or " "}},
                Limit=limit,
            )
        found = await asyncio.gather(
            *(self.by_id(item["account_id"]["S"]) for item in listed["Items"])
        )
        return [user for user in found if user]

    async def keep(self, event: Unpublished) -> None:
        async with self._answering():
            await self.client.put_item(TableName=self.table, Item=outbox_item(event))

    async def unpublished(self, limit: int) -> list[Unpublished]:
        async with self._answering():
            page = await self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :outbox",
                ExpressionAttributeValues={":outbox": {"S": "outbox"}},
                ConsistentRead=True,
                Limit=limit,
            )
        return [Unpublished(item["sk"]["S"], item["event"]["B"]) for item in page["Items"]]

    async def forget(self, event_id: str) -> None:
        async with self._answering():
            await self.client.delete_item(TableName=self.table, Key=key("outbox", event_id))

    async def _get(self, pk: str, sk: str) -> Item | None:
        async with self._answering():
            found = await self.client.get_item(
                TableName=self.table, Key=key(pk, sk), ConsistentRead=True
            )
        return cast("Item | None", found.get("Item"))


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def at_user(user: User) -> Item:
    return key(f"user#{user.account_id}", "user")


def outbox_item(event: Unpublished) -> Item:
    return key("outbox", event.id) | {"event": {"B": event.event}}


def attributes(user: User) -> Item:
    """Returns the user as DynamoDB spells it; what is None has no attribute."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in user._asdict().items()
        if value is not None
    }


def user_of(item: Item) -> User:
    """Returns the user that `attributes` spelled."""
    values = {name: item[name]["S"] for name in User._fields if "S" in item.get(name, {})}
    numbers: Item = {name: int(item.get(name, ZERO)["N"]) for name in NUMBERS}
    return User(**values, **numbers)
