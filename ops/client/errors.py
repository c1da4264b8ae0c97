"""What can go wrong between a client and the edge: the edge says no, or says nothing."""

from collections.abc import Sequence
from typing import Any

from .models import Fault


class NoAnswer(Exception):
    """The edge did not answer, however often it was asked; what was asked may yet be done. The message says what."""


class Problem(Exception):
    """The edge's no (RFC 9457). Decide by code; one that you do not know means what its status means.

    errors: what is wrong with the input; resource: what a refused command came to; retry_after: s until it may be asked
    again, None if that does not help.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str | None = None,
        request_id: str | None = None,
        errors: Sequence[Fault] = (),
        resource: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.request_id, self.errors, self.resource = request_id, list(errors), resource
        self.retry_after = retry_after
        super().__init__(str(self))

    def as_json(self) -> dict[str, Any]:
        """Returns what is known of it."""
        return {
            "status": self.status,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "request_id": self.request_id,
            "errors": [fault.model_dump() for fault in self.errors],
            "resource": self.resource,
        }

    def __str__(self) -> str:
        """Returns what was wrong, where, and by which id the edge's operator finds it."""
        said = [self.detail or self.title]
        said += [f"{fault.pointer}: {fault.message}" for fault in self.errors]
        where = f", request {self.request_id}" if self.request_id else ""
        return f"{' '.join(said)} ({self.status} {self.code}{where})"
