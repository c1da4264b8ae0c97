"""Rows and checkpoints as the items of a generation's table:

pk OWNER       sk KIND/ID          a row
pk OWNER       sk KIND@PLACE       a row of a list; KIND/ID then says which, unless its id is its place
pk KIND/ID     sk row              a shared row
pk PLACE       sk TOPIC            a checkpoint
"""

from collections.abc import Iterator
from typing import Any

from events.codec import encode

from .port import Batch, Key, Kind, Mark, Row

Item = dict[str, Any]
Place = tuple[str, str]
"""An item's pk and sk."""
LAST = 10**16 - 1  # above every place in a list


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def address(row: Key) -> Place:
    """Returns where a row, or what points to it, is found by its id."""
    kind, owner, id_ = row
    if kind.shared:
        return f"{kind.name}/{id_}", "row"
    if kind.newest and id_.isdigit():
        return owner, in_list(kind, int(id_))
    return owner, f"{kind.name}/{id_}"


def decoded(kind: Kind[Any], item: Item) -> Any:
    return kind.decode(item["row"]["S"].encode())


def in_list(kind: Kind[Any], place: int) -> str:
    return f"{kind.name}@{place:016d}"


def spell(row: Row, place: str) -> Iterator[tuple[str, Item]]:
    """Yields what the transaction does for a row."""
    pk, sk = address(row.key)
    if row.value is None:
        yield "Delete", {"Key": key(pk, sk)}
        return
    if row.key.kind.newest:
        listed = in_list(row.key.kind, row.key.kind.listed(row.value) or 0)
        if listed != sk and row.fresh:
            yield "Put", {"Item": key(pk, sk) | {"at": {"S": listed}}}
        sk = listed
    text = {"place": {"S": place}, "row": {"S": encode(row.value).decode()}}
    yield "Put", {"Item": key(pk, sk) | text}


def stands_at(start: int) -> str:
    """Returns the condition that the next offset is that."""
    return "#next = :start" if start else "attribute_not_exists(#next)"


def advance(batch: Batch, now: int) -> Item:
    """Returns the update of the checkpoint, which only succeeds where the batch starts, and unsealed."""
    numbers = {":end": batch.end, ":time": batch.time, ":now": now}
    if batch.start:
        numbers[":start"] = batch.start
    return {
        "Key": key(batch.input.place, batch.input.topic),
        "UpdateExpression": "SET #next = :end, newest = :time",
        "ConditionExpression": f"{stands_at(batch.start)} AND (attribute_not_exists(sealed) OR sealed < :now)",
        "ExpressionAttributeNames": {"#next": "next"},
        "ExpressionAttributeValues": {name: {"N": str(n)} for name, n in numbers.items()},
    }


def mark(item: Item | None) -> Mark:
    numbers = item or {}
    position, time = (int(numbers.get(name, {"N": "0"})["N"]) for name in ("next", "newest"))
    return Mark(position, time)
