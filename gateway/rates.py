"""How much of what may be asked: the classes of requests, each one's budgets, and whose.

A rate is written `20/s:40`: twenty a second in the long run, forty at once; units: s, min, h.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from infra.stores.limits import Allowance, Bucket, Budget

UNITS = {"s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}  # µs
RATE = re.compile(r"([1-9][0-9]{0,6})/(s|min|h)(?::([1-9][0-9]{0,6}))?")
Class = Literal["commands", "reads", "public", "logins", "registrations", "refreshes"]
"""What a route counts as."""
OWN: Mapping[str, Class | None] = MappingProxyType(
    {
        "login": "logins",
        "register": "registrations",
        "refresh": "refreshes",
        "preview_order": "reads",
        "alive": None,
        "ready": None,
    }
)
"""Routes, by operation, that count as something of their own; None: as nothing."""
OF_ACCOUNTS = frozenset({"commands", "reads"})
ADDRESS, EVERYBODY = "address", "everybody"
"""The ceilings under which all classes stand."""
PRODUCTION: Mapping[str, str] = MappingProxyType(
    {
        "commands": "20/s:40",
        "reads": "50/s:100",
        "public": "20/s:100",
        "logins": "10/min",
        "registrations": "5/h",
        "refreshes": "60/min",
        ADDRESS: "200/s:400",
        EVERYBODY: "5000/s",
    }
)
DEVELOPMENT: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(PRODUCTION, "100000/s")
    | {"commands": "5000/s", "logins": "1000/s", "registrations": "10000/h"}
)


def class_of(operation: str, policy: str, methods: Collection[str]) -> Class | None:
    """Returns what a route counts as."""
    if operation in OWN:
        return OWN[operation]
    if policy == "public":
        return "public"
    return "reads" if "GET" in methods else "commands"


def budget(name: str, rate: str) -> Budget:
    """Returns the budget that a rate spells. Raises: ValueError."""
    found = RATE.fullmatch(rate)
    if found is None:
        raise ValueError(f"{name}: a rate is written 20/s or 20/s:40 (units s, min, h), not {rate}")
    count, unit, burst = found.groups()
    return Budget(name, UNITS[unit] // int(count), int(burst or count))


class Rates:
    """rates: by class or ceiling, all of PRODUCTION's names."""

    def __init__(self, rates: Mapping[str, str]) -> None:
        self._budgets = {name: budget(name, rates[name]) for name in PRODUCTION}

    def buckets(self, kind: Class, address: str, account_id: str | None) -> Sequence[Bucket]:
        """Returns from what a request is taken. An account's own class needs the account: without one it is public."""
        if kind in OF_ACCOUNTS and account_id is None:
            kind = "public"
        who = account_id if account_id and kind in OF_ACCOUNTS else address
        return (
            Bucket(self._budgets[kind], who),
            Bucket(self._budgets[ADDRESS], address),
            Bucket(self._budgets[EVERYBODY], ""),
        )


def rates_of(env: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the rates of an environment, some of them its operator's. Raises: ValueError."""
    if unknown := sorted(own.keys() - PRODUCTION.keys()):
        raise ValueError(f"no such rate: {', '.join(unknown)}; there are {', '.join(PRODUCTION)}")
    return {**(PRODUCTION if env == "production" else DEVELOPMENT), **own}


def headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """Returns what tells a client how much is left (draft-ietf-httpapi-ratelimit-headers), seconds rounded up."""
    budget, left, reset = allowance.budget, allowance.remaining, seconds(allowance.reset)
    return [
        (
            b"ratelimit-policy",
            b'"%b";q=%d;w=%d' % (budget.name.encode(), budget.burst, seconds(budget.window)),
        ),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (budget.name.encode(), left, reset)),
        (b"x-ratelimit-limit", b"%d" % budget.burst),
        (b"x-ratelimit-remaining", b"%d" % left),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]


def seconds(micros: int) -> int:
    return -(-micros // 1_000_000)
