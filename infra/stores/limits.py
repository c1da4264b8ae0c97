"""Rate limits: GCRA, the leaky bucket that remembers one number, the time at which the bucket would be empty again.

ITU-T I.371 names it; what is taken is taken from every bucket of a request or from none.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

ROOM = 100_000
"""Buckets that a process keeps by itself: more are swept of the empty ones."""


class Budget(NamedTuple):
    """What a class of requests may come to. name: a client sees it; interval: µs between two of them in the long run;
    burst: how many may come at once.
    """

    name: str
    interval: int
    burst: int

    @property
    def window(self) -> int:
        """Returns how long, in µs, a burst takes to be whole again."""
        return self.interval * self.burst


class Bucket(NamedTuple):
    """One asker's budget. who: an account or an address."""

    budget: Budget
    who: str

    @property
    def key(self) -> str:
        return f"limit:{self.budget.name}:{self.who}"


class Allowance(NamedTuple):
    """What the tightest bucket of a request says. remaining: requests that may come now; retry, reset: µs until one
    may come, 0 if this one may, and until all are there again.
    """

    budget: Budget
    remaining: int
    retry: int
    reset: int

    @property
    def allowed(self) -> bool:
        return not self.retry


class Buckets:
    """Buckets of this process alone: the twin of those in Redis, and what holds while that is away. now: ms."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.empty_at: dict[str, int] = {}

    def take(self, buckets: Sequence[Bucket]) -> Allowance | None:
        """Returns what the tightest says, None if there are no buckets. It is taken from all or from none."""
        now = self.now() * 1000
        if len(self.empty_at) > ROOM:
            self.empty_at = {key: at for key, at in self.empty_at.items() if at > now}
        if not buckets:
            return None
        after = [max(self.empty_at.get(one.key, now), now) + one.budget.interval for one in buckets]
        ends = [at - now - one.budget.window for one, at in zip(buckets, after, strict=True)]
        if (late := max(ends)) > 0:
            refused = buckets[ends.index(late)].budget
            return Allowance(refused, 0, late, late + refused.window - refused.interval)
        self.empty_at |= {one.key: at for one, at in zip(buckets, after, strict=True)}
        left = [-end // one.budget.interval for one, end in zip(buckets, ends, strict=True)]
        tightest = left.index(min(left))
        budget = buckets[tightest].budget
        return Allowance(budget, left[tightest], 0, after[tightest] - now)
