"""What a process of the stack is: how it is started, when it is ready, what it needs before it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ops.stack.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where a stack's processes live. ports: by name; environ: what every child is given."""

    folder: RunFolder
    ports: Mapping[str, int]
    environ: Mapping[str, str]


def nothing(_: Stack) -> None:
    """Has nothing to do after the process ended."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """One row of the table in processes.py.

    command: what to run, after preparing for it. ready: None for a process that does one thing and
    ends. needs: it starts once they are ready, and ends before they do. uses: it only ends before
    they do. ports: name and well-known number, None if it has none. environ: what only this child is
    given. ended: called once it ended cleanly. drain: s it is given to end before it is killed.
    """

    name: str
    command: Callable[[Stack], Awaitable[Sequence[str]]]
    ready: Callable[[Stack], Awaitable[bool]] | None
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    ports: Mapping[str, int | None] = field(default_factory=dict)
    environ: Callable[[Stack], Mapping[str, str]] = lambda _: {}
    ended: Callable[[Stack], None] = nothing
    drain: float = 10.0
