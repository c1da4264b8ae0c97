"""The keys that sign access tokens: the PEM files of a folder, the same for every gateway, read again and again.

So a key is changed without a restart and without a logout. The name of a file is the key's id, and the last by name is
the newest. A new one is known everywhere before it signs: a file comes to all machines of a cluster within a minute or
two, and a gateway that did not know the key would refuse the token of one that does.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from uuid_utils import uuid7

from .auth import Tokens

FIRST_KEY = "0-development"
READ_AGAIN = 10  # s
SETTLED = 180_000  # ms after its file was written, a key is known everywhere
log = structlog.get_logger()


class Keys(NamedTuple):
    """signer: the id of the one that signs."""

    by_id: Mapping[str, Ed25519PrivateKey]
    signer: str


class KeyFolder:
    """now: ms since the epoch."""

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self._folder, self._now = folder, now

    def read(self) -> Keys:
        """Returns the keys. The newest that is settled signs; if none is, the oldest: that one others have too.

        Raises: OSError; ValueError if there is none, or one that is no Ed25519 key.
        """
        keys = load_keys(self._folder)
        if not keys:
            raise ValueError("the folder of keys has no *.pem")
        settled = [kid for kid in keys if self._now() - self._written(kid) >= SETTLED]
        return Keys(keys, max(settled) if settled else min(keys))

    def _written(self, kid: str) -> int:
        """Returns when the key's file was written, ms since the epoch."""
        return (self._folder / f"{kid}.pem").stat().st_mtime_ns // 1_000_000

    async def look(self, tokens: Tokens) -> bool:
        """Has the tokens use what the folder has now; if that can't be read, what it had. Returns whether it can be."""
        try:
            keys = await asyncio.to_thread(self.read)
        except (OSError, ValueError) as error:
            log.error("keys_unreadable", error=type(error).__name__)
            return False
        tokens.use(*keys)
        return True

    async def keep_looking(self, tokens: Tokens) -> None:
        while True:
            await asyncio.sleep(READ_AGAIN)
            await self.look(tokens)


def load_keys(folder: Path) -> dict[str, Ed25519PrivateKey]:
    """Returns the signing keys by their ids, the names of the folder's PEM files. Raises: OSError, ValueError."""
    keys = {}
    for path in sorted(folder.glob("*.pem")):
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{path.name} is no Ed25519 key")
        keys[path.stem] = key
    return keys


def ensure_development_key(folder: Path) -> None:
    """Makes a first key if there is none. Of two processes that do so at once, one's key stays."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.glob("*.pem")):
        return
    draft = folder / f"{uuid7()}.draft"
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        (folder / f"{FIRST_KEY}.pem").hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
