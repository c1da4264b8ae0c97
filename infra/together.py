"""One round trip for all who ask a store at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
MOST = 64
"""Questions of one round trip: while a store answers them, it answers nobody else."""


class Together(Generic[Q, A]):
    """While a round trip is under way the next one's questions gather: few when it is calm, many under load.

    ask_all: answers questions in their order. Who waits behind a round trip that fails, fails with it: so nobody
    waits longer than one.
    """

    def __init__(self, ask_all: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._ask_all = ask_all
        self._waiting: dict[asyncio.Future[A], Q] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Returns the answer. Raises: what ask_all raises."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = question
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        """Asks until nobody waits."""
        try:
            while self._waiting:
                taken = list(islice(self._waiting.items(), MOST))
                for answer, _ in taken:
                    del self._waiting[answer]
                await self._tell(taken)
        finally:
            self._asking = None

    async def _tell(self, taken: Sequence[tuple[asyncio.Future[A], Q]]) -> None:
        try:
            found = await self._ask_all([question for _, question in taken])
        except Exception as failure:
            failed = [*(answer for answer, _ in taken), *self._waiting]
            self._waiting.clear()
            for answer in failed:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for (answer, _), told in zip(taken, found, strict=True):
            if not answer.done():  # whoever asked may have left
                answer.set_result(told)
