"""What a command came to: done, or pending and to be waited for. A refusal is a Problem."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from .errors import NoAnswer

T = TypeVar("T", bound=BaseModel)
WAIT = 5  # s for a command's outcome, where the caller says nothing
PATIENCE, ONE_WAIT = 30, 5
"""s for which a command is waited for, and for which one request of it is kept open."""


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """resource: done, or as it shall be; key: the command's name; replayed: the edge had answered it before.

    again: sends the same command under the same name and waits so many s for its outcome.
    """

    resource: T
    key: str
    pending: bool
    replayed: bool
    request_id: str
    again: Callable[[int], Awaitable["Answer[T]"]]

    async def wait(self, patience: int = PATIENCE) -> T:
        """Returns the resource once the command is carried out, at once if it is. patience: s.

        Raises: Problem if the domain refuses it; NoAnswer if its outcome is not known by then.
        """
        answer: Answer[T] = self
        while answer.pending and patience > 0:
            wait = min(patience, ONE_WAIT)
            answer, patience = await self.again(wait), patience - wait
        if answer.pending:
            raise NoAnswer(f"the command {self.key} is in the log and not carried out yet")
        return answer.resource
