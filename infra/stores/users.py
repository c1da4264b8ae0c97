"""Who may log in: user names and e-mails are unique, and password hashes never leave this store.

A registration writes the user, a lock on each of the two names and the event that tells of it in one
transaction; whoever publishes the event deletes it afterwards (a transactional outbox).
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

import stamina
from botocore.exceptions import ClientError

from infra.unavailable import Unavailable

from .dynamodb import answering, cancellations, code, ensure_table

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

Role = Literal["customer", "admin"]
Taken = Literal["username_taken", "email_taken"]
Item = dict[str, Any]
TABLE = "users"
NOBODY = "nobody"
"""The id of no account."""


class User(NamedTuple):
    """created_at: ms since the epoch; password_hash: in PHC's string format."""

    account_id: str
    username: str
    email: str
    password_hash: str
    created_at: int
    role: Role = "customer"
    first_name: str | None = None
    last_name: str | None = None


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

    async def replace_hash(self, account_id: str, *, old: str, new: str) -> bool:
        """Returns whether the hash was replaced: only if it was still the old one."""

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
    """One table: name#NAME and email#EMAIL (locks), user#ID, and the outbox by event id."""

    def __init__(self, client: "DynamoDBClient", table: str = TABLE) -> None:
        self.client = client
        self.table = table

    async def register(self, user: User, event: Unpublished) -> Taken | None:
        owner = {"account_id": {"S": user.account_id}}
        username, email, *_ = await self._put_new(
            key(f"name#{user.username}", "lock") | owner,
            key(f"email#{user.email}", "lock") | owner,
            key(f"user#{user.account_id}", "user") | attributes(user),
            outbox_item(event),
        )
        if username == "ConditionalCheckFailed":
            return "username_taken"
        return "email_taken" if email == "ConditionalCheckFailed" else None

    @stamina.retry(on=Conflict, attempts=8, timeout=2, wait_initial=0.01, wait_jitter=0.02)
    async def _put_new(self, *items: Item) -> list[str]:
        """Returns why each item could not be put; "None" for all of them: they are."""
        puts = [
            {
                "Put": {
                    "TableName": self.table,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for item in items
        ]
        try:
            with answering():
                await self.client.transact_write_items(TransactItems=cast("Any", puts))
        except ClientError as refusal:
            reasons = cancellations(refusal)
            if "ConditionalCheckFailed" in reasons:
                return reasons
            if "TransactionConflict" in reasons:
                raise Conflict("dynamodb") from refusal
            raise
        return ["None"] * len(items)

    async def by_id(self, account_id: str) -> User | None:
        item = await self._get(f"user#{account_id}", "user")
        return user_of(item) if item else None

    async def by_name(self, username: str) -> User | None:
        lock = await self._get(f"name#{username}", "lock")
        return await self.by_id(lock["account_id"]["S"] if lock else NOBODY)  # as late for both

    async def replace_hash(self, account_id: str, *, old: str, new: str) -> bool:
        try:
            with answering():
                await self.client.update_item(
                    TableName=self.table,
                    Key=key(f"user#{account_id}", "user"),
                    UpdateExpression="SET password_hash = :new",
                    ConditionExpression="password_hash = :old",
                    ExpressionAttributeValues={":new": {"S": new}, ":old": {"S": old}},
                )
        except ClientError as refusal:
            if code(refusal) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    async def keep(self, event: Unpublished) -> None:
        with answering():
            await self.client.put_item(TableName=self.table, Item=outbox_item(event))

    async def unpublished(self, limit: int) -> list[Unpublished]:
        with answering():
            page = await self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :outbox",
                ExpressionAttributeValues={":outbox": {"S": "outbox"}},
                ConsistentRead=True,
                Limit=limit,
            )
        return [Unpublished(item["sk"]["S"], item["event"]["B"]) for item in page["Items"]]

    async def forget(self, event_id: str) -> None:
        with answering():
            await self.client.delete_item(TableName=self.table, Key=key("outbox", event_id))

    async def _get(self, pk: str, sk: str) -> Item | None:
        with answering():
            found = await self.client.get_item(
                TableName=self.table, Key=key(pk, sk), ConsistentRead=True
            )
        return cast("Item | None", found.get("Item"))


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


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
    return User(**values, created_at=int(item["created_at"]["N"]))


class MemoryUsers:
    """The twin: as strict about names and conditions, and what it gives out went through the same items."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.names: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.outbox: dict[str, bytes] = {}

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

    async def replace_hash(self, account_id: str, *, old: str, new: str) -> bool:
        item = self.items.get(account_id)
        if item is None or item["password_hash"] != {"S": old}:
            return False
        item["password_hash"] = {"S": new}
        return True

    async def keep(self, event: Unpublished) -> None:
        self.outbox[event.id] = event.event

    async def unpublished(self, limit: int) -> list[Unpublished]:
        return [Unpublished(*entry) for entry in sorted(self.outbox.items())[:limit]]

    async def forget(self, event_id: str) -> None:
        self.outbox.pop(event_id, None)
