"""Where the parts of a stack are that an audit asks."""

from collections.abc import Mapping
from typing import NamedTuple

from ops.stack.folder import RunFolder


class Where(NamedTuple):
    """kafka: host:port; redis, dynamodb: URLs of the views, None: they are not asked; admins: by service, the ports of
    the live processes.
    """

    kafka: str
    redis: str | None = None
    dynamodb: str | None = None
    admins: Mapping[str, int] = {}

    @classmethod
    def of(cls, endpoints: Mapping[str, str], ports: Mapping[str, int] = {}) -> "Where":
        """Returns it by the names that endpoints and ports have in a run folder."""
        suffix = "-admin"
        admins = {n.removesuffix(suffix): p for n, p in ports.items() if n.endswith(suffix)}
        return cls(endpoints["kafka"], endpoints.get("redis"), endpoints.get("dynamodb"), admins)

    @classmethod
    def in_folder(cls, folder: RunFolder) -> "Where":
        return cls.of(folder.endpoints(), folder.read("ports.json") or {})
