"""The session of `orderstream trade`, in a file that its owner alone can read."""

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ops.client.tokens import Tokens

FILE = "session.json"


class Kept(BaseModel):
    """at: the URL of the edge, empty for the stack's."""

    at: str
    tokens: Tokens


class FileKeeper:
    """Keeps one session in the folder, of one edge: a login elsewhere takes its place."""

    def __init__(self, folder: Path, at: str) -> None:
        self.path, self.at = folder / FILE, at

    def load(self) -> Tokens | None:
        """Returns the tokens, None if there are none of this edge."""
        try:
            kept = Kept.model_validate_json(self.path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return kept.tokens if kept.at == self.at else None

    def save(self, tokens: Tokens | None) -> None:
        """Writes them whole or not at all."""
        if tokens is None:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
            file.write(Kept(at=self.at, tokens=tokens).model_dump_json())
        new.replace(self.path)
