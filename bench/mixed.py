"""A mixed load for as long as you like: deposits, withdrawals, buys, sells, repeats, and what the edge refuses.

`python -m bench.mixed URL SECONDS RATE JOURNAL`. The journal has a JSON line a command before it is sent, and one more
when it is known what became of it: `orderstream audit --journal` compares it with the log.
"""

import asyncio
import json
import sys
from base64 import urlsafe_b64decode
from collections import Counter
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bench.customers import expect
from bench.http import Answer, Server, server
from events.ids import command_id
from events.reasons import Reason

CUSTOMERS, MONEY = 20, "5000.00"
ASSETS = ("BTC", "ETH", "SOL", "DOGE")
IN_THE_LOG = frozenset(Reason)
"""Refusals that a service gave: the command stands in the log."""


class Request(NamedTuple):
    kind: str
    path: str
    body: dict[str, str]
    key: str


class Client:
    """A customer who repeats himself now and then, as a client does whose answer got lost."""

    def __init__(self, edge: Server, name: str, token: str, rng: Random, load: "Load") -> None:
        self.edge, self.name, self.token, self.rng, self.load = edge, name, token, rng, load
        payload = token.split(".")[1]
        self.account_id: str = json.loads(urlsafe_b64decode(payload + "=="))["sub"]
        self.sent: list[Request] = []
        self.numbers = count(1)

    @classmethod
    async def registered(cls, edge: Server, name: str, load: "Load") -> "Client":
        who: dict[str, Any] = {"username": name, "password": "a long enough passphrase"}
        email = {"email": f"{name}@example.com"}
        expect(await edge.ask("POST", "/api/v1/auth/register", who | email), 201)
        logged_in = expect(await edge.ask("POST", "/api/v1/auth/login", who), 200)
        return cls(edge, name, logged_in["access_token"], Random(name), load)

    def request(self) -> Request:
        """Returns what the customer asks next; one time in ten what he asked before."""
        if self.sent and self.rng.random() < 0.1:
            return self.rng.choice(self.sent[-5:])._replace(kind="repeat")
        key = f"{self.name}-{next(self.numbers)}"
        amount = f"{self.rng.randint(1, 99)}.{self.rng.randint(0, 99):02}"
        drawn = self.rng.random()
        if not self.sent:
            made = Request("deposit", "/balance/deposit", {"amount": MONEY}, key)
        elif drawn < 0.15:
            made = Request("deposit", "/balance/deposit", {"amount": amount}, key)
        elif drawn < 0.25:
            made = Request("withdrawal", "/balance/withdraw", {"amount": amount}, key)
        elif drawn < 0.28:
            made = Request("overdraft", "/balance/withdraw", {"amount": "9000000.00"}, key)
        elif drawn < 0.31:
            made = Request("odd amount", "/balance/deposit", {"amount": "1.001"}, key)
        else:
            side = self.rng.choice(("buy", "buy", "sell"))
            order = {"asset_id": self.rng.choice(ASSETS), "side": side, "type": "market"}
            made = Request(side, "/orders", order | {"notional": amount}, key)
        self.sent.append(made)
        return made

    async def act(self) -> None:
        asked = self.request()
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": asked.key}
        id_ = command_id(self.account_id, client_order_id=None, key=asked.key)
        assert id_
        self.load.note(id_, None)
        try:
            answer = await self.edge.ask("POST", f"/api/v1{asked.path}", asked.body, headers)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            self.load.seen[asked.kind, 0] += 1
            return
        self.load.seen[asked.kind, answer.status] += 1
        if (accepted := is_accepted(answer)) is not None:
            self.load.note(id_, accepted)


def is_accepted(answer: Answer) -> bool | None:
    """Returns whether the command is in the log, None if the edge could not say."""
    if answer.status in (200, 201, 202):
        return True
    if answer.status == 422 and answer.body.get("code") in IN_THE_LOG:
        return True
    return False if answer.status in (400, 422) else None


class Load:
    """The journal, and how often each kind of request was answered how."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal.open("a", buffering=1)
        self.known: set[tuple[str, bool | None]] = set()
        self.seen: Counter[tuple[str, int]] = Counter()

    def note(self, id_: str, accepted: bool | None) -> None:
        """Writes it down, once; what was accepted stays so, whatever a repeat is told."""
        if (id_, accepted) not in self.known and (id_, True) not in self.known:
            self.known.add((id_, accepted))
            self.journal.write(json.dumps({"command_id": id_, "accepted": accepted}) + "\n")


async def mixed(url: str, seconds: float, rate: float, journal: Path, name: str = "mixed") -> Load:
    """Returns what was asked and answered at so many requests a second, each sent when it is due."""
    load, clock = Load(journal), asyncio.get_running_loop()
    async with server(url) as edge, asyncio.TaskGroup() as tasks:
        clients = [await Client.registered(edge, f"{name}{n}", load) for n in range(CUSTOMERS)]
        begun = clock.time()
        for n in range(round(seconds * rate)):
            await asyncio.sleep(begun + n / rate - clock.time())
            tasks.create_task(clients[n % CUSTOMERS].act())
    return load


if __name__ == "__main__":
    _, url, seconds, rate, journal = sys.argv
    made = asyncio.run(mixed(url, float(seconds), float(rate), Path(journal)))
    for (kind, status), n in sorted(made.seen.items()):
        print(f"{kind:12} {status:3} {n:7}")
