"""The race's job: a credit to an account comes in, is decided on the account's row, and its event goes out.

Every contestant does it on the same commands, one partition of them, and writes the same JSON.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

from bench.orders import accounts, now_ms, order_id
from events.codec import mirror
from events.decider import Context, Fold, Rows
from events.envelope import Amount, Command, Event, Value
from events.topics import Topic
from infra.log.port import TopicSpec
from infra.shell.service import Service
from ops.provision import contract_topic, sides

AMOUNTS = 997  # cents, the largest: no account gets the same twice in a row
owners = partial(accounts, 0, 1)


class Course(NamedTuple):
    """One contestant's run: what it reads, and the name of what it writes and remembers."""

    commands: str
    owner: str

    @property
    def events(self) -> str:
        return f"{self.owner}.events"


@mirror
class Credit(Command):
    type: Literal["credit"] = "credit"
    version: Literal[1] = 1
    amount: Amount


@mirror
class Credited(Event):
    type: Literal["credited"] = "credited"
    version: Literal[1] = 1
    amount: Amount
    balance: Amount


@mirror
class Account(Value):
    balance: Amount = 0


ACCOUNTS = Fold(
    "account",
    Account,
    on=(Credited,),
    ids=lambda event: (event.account_id,),
    apply=lambda _, event: Account(balance=event.balance),
)


def decide(rows: Rows, given: Credit, _context: Context) -> list[Credited]:
    """Returns the credit's event."""
    account = ACCOUNTS.of(rows, given.account_id) or Account()
    return [
        Credited(
            account_id=given.account_id,
            amount=given.amount,
            balance=account.balance + given.amount,
        )
    ]


def refuse(command: Credit, reason: str) -> Event:
    """Raises: AssertionError, always: the race is over long before a command is too old."""
    raise AssertionError(f"{command.id}: {reason}")


def service(course: Course) -> Service:
    """Returns the job as a service of the shell's."""
    commands = Topic[Credit](
        name=course.commands, carries=Credit, writer="bench", about="Credits asked for."
    )
    events = Topic[Credited](
        name=course.events, carries=Credited, writer=course.owner, about="Credits given."
    )
    return Service(
        name=course.owner,
        reads=(commands,),
        writes=events,
        folds=(ACCOUNTS,),
        decide=decide,
        refuse=refuse,
    )


def topic_specs(course: Course) -> Iterator[TopicSpec]:
    """Yields every topic of the course. The peers make further ones by themselves."""
    job = service(course)
    for topic in (*job.reads, job.writes):
        yield contract_topic(topic, 1, 1)
    yield from sides(job, 1, 1)


def amount(n: int) -> int:
    """Returns the cents of the n-th command."""
    return n % AMOUNTS + 1


def credit(n: int) -> Credit:
    """Returns the n-th command."""
    time_ms, accounts = now_ms(), owners()
    return Credit(
        id=order_id(n),
        account_id=accounts[n % len(accounts)],
        occurred_at=time_ms,
        created_at=time_ms,
        correlation_id=order_id(n),
        fingerprint=f"{n:064x}",
        amount=amount(n),
    )


class Books:
    """What must have come of the commands so far, by a reckoning of its own."""

    def __init__(self) -> None:
        self.answered = 0
        self._accounts = owners()
        self._sequences = [0] * len(self._accounts)
        self._balances = [0] * len(self._accounts)

    def enter(self, n: int, event: Credited) -> None:
        """Takes in the event of the n-th command. Raises: AssertionError unless it is the one that is due."""
        turn, place = divmod(n, len(self._accounts))
        assert event.account_id == self._accounts[place], event
        assert turn == self._sequences[place], f"lost, doubled or late: {event}"
        self._sequences[place] += 1
        self._balances[place] += amount(n)
        assert event.sequence == self._sequences[place], event
        assert event.amount == amount(n), event
        assert event.balance == self._balances[place], event
        self.answered += 1
