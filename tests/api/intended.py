"""What breaks a client of the last release, and why it is done all the same. The CHANGELOG has it, reason included."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.api.oasdiff import Change


class Intended(NamedTuple):
    """A kind of change, as oasdiff calls it, of what its text names first, at these operations and no others."""

    id: str
    names: str
    at: tuple[str, ...]
    why: str

    def allows(self, change: Change) -> bool:
        named = change.quoted[:1] == [self.names]
        return named and change.id == self.id and change.operation in self.at


INTENDED = (
    Intended(
        "response-property-list-of-types-widened",
        "access_token",
        ("POST /api/v1/auth/login",),
        "It is null only for who asks with `?cookie=true`, whose token is a cookie that no script reads.",
    ),
    Intended(
        "request-property-pattern-changed",
        "email",
        ("POST /api/v1/auth/register",),
        "The edge takes what it took: the spaces are written out, for readers differ on what `\\s` is.",
    ),
)
"""A release empties it: what it allowed is released then, and found no more."""


def unargued(found: list[Change]) -> list[Change]:
    """Returns what breaks clients without a reason."""
    return [each for each in found if each.breaking and not reason(each)]


def reason(change: Change, intended: Iterable[Intended] = INTENDED) -> str:
    """Returns why it is done, empty if nobody says."""
    return next((each.why for each in intended if each.allows(change)), "")


def unfound(found: list[Change], intended: Iterable[Intended] = INTENDED) -> Iterator[Intended]:
    """Yields the reasons for what does not happen, at the operations at which it doesn't."""
    for each in intended:
        seen = {change.operation for change in found if change.breaking and each.allows(change)}
        if left := tuple(at for at in each.at if at not in seen):
            yield each._replace(at=left)
