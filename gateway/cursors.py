"""Cursors: opaque to a client, signed, and good only for who got them and for the list that they came from."""

import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256

from .problems import Refused

MAC = 16  # bytes


class Cursors:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, place: str, *bound: object) -> str:
        """Returns a cursor to a place in a list. bound: what alone it is good for."""
        said = json.dumps([place, *map(str, bound)]).encode()
        mac = hmac.digest(self._key, said, sha256)[:MAC]
        return urlsafe_b64encode(mac + place.encode()).decode().rstrip("=")

    def open(self, cursor: str, *bound: object) -> str:
        """Returns the place. Raises: Refused unless the cursor, to the bit, was sealed for the same."""
        try:
            raw = b64decode(cursor + -len(cursor) % 4 * "=", altchars=b"-_", validate=True)
            place = raw[MAC:].decode()
        except ValueError as error:
            raise Refused("invalid_cursor") from error
        if not hmac.compare_digest(self.seal(place, *bound), cursor):
            raise Refused("invalid_cursor")
        return place
