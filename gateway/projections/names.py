"""Which names of commands are taken: a print of each command that was answered under a name, for ever.

A command's id is made of its name. Kept whole, the ids would outgrow every other row; of 48 bits of each, 16 choose
the row and 32 are kept in it. What is not there was never answered; what is may be another's, once in some million.
"""

from typing import Annotated, Any

from pydantic import Field

from events.codec import mirror
from events.envelope import Value
from events.topics import BALANCE_EVENTS, ORDER_EVENTS
from infra.views.port import Kind

from .projection import Place

NAMED = "5"
"""The version of a UUID that is made of a name; that of a command without one is 7."""


@mirror
class Taken(Value):
    """prints: of 8 hexadecimal digits, each behind a comma."""

    prints: Annotated[str, Field(max_length=2**16)]


ORDER_NAMES: Kind[Taken] = Kind(name="names.o", topic=ORDER_EVENTS, row=Taken, shared=True)
BALANCE_NAMES: Kind[Taken] = Kind(name="names.b", topic=BALANCE_EVENTS, row=Taken, shared=True)
NAMES = (ORDER_NAMES, BALANCE_NAMES)


def row_of(command_id: str) -> str:
    """Returns the id of the row that has the command's print, if any has."""
    return command_id[:4]


def print_of(command_id: str) -> str:
    return f",{command_id[4:8]}{command_id[9:13]}"


def may_be_taken(row: Taken | None, command_id: str) -> bool:
    """Returns whether a command with that id may have been answered, given its row."""
    return row is not None and print_of(command_id) in row.prints


def of_name(event: Any, _: Place) -> str | None:
    """Returns the id of the row that an answer touches, none if its command has no name."""
    command_id: str = event.command_id
    return row_of(command_id) if command_id[14] == NAMED else None


def apply(row: Taken | None, event: Any, _: Place) -> Taken:
    if row is not None and may_be_taken(row, event.command_id):
        return row
    return Taken(prints=(row.prints if row else "") + print_of(event.command_id))
