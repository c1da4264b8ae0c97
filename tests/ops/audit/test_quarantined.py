"""Poison that was set aside otherwise than it must be, one fault at a time."""

import pytest

from events.balance import FundsDeposited
from events.codec import encode
from events.control import RecordQuarantined
from events.topics import BALANCE_EVENTS, ORDER_EVENTS
from infra.log.port import Record
from ops.audit.check import Unread
from ops.audit.quarantine import Quarantined
from tests.messages.balances import deposit, deposited
from tests.messages.envelope import ACCOUNT, NOW, stamped

POISON = Record(BALANCE_EVENTS.name, 0, 5, NOW, ACCOUNT.encode(), b"{")


class Audited(Quarantined):
    """The check, of a log where a record of the balance service is poison to its one reader."""

    def poisoned(self) -> None:
        self.unread(POISON, Unread("malformed"))

    def letter_of(self, record: Record, reason: str = "malformed") -> None:
        at = f"{record.topic}:{record.partition}:{record.offset}".encode()
        headers = (("origin", at), ("reason", reason.encode()))
        topic = f"{record.topic}.order.dlq.v1"
        letter = record._replace(topic=topic, headers=headers)
        self.letter(letter, letter)

    def note_of(
        self, record: Record, *, account_id: str | None = None, follows: bool = False
    ) -> None:
        note = RecordQuarantined(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason="malformed",
            account_id=account_id,
            follows=follows,
        )
        self.noted(Record(ORDER_EVENTS.name, 0, record.offset, NOW, None, None), note)

    def held(self, sequence: int, *, offset: int) -> None:
        """Has the account's event stand behind its poison, or be none if nobody noted it."""
        record = self.followed(sequence, offset=offset)
        self.letter_of(record)
        self.note_of(record, account_id=ACCOUNT, follows=True)

    def followed(self, sequence: int, *, offset: int) -> Record:
        event: FundsDeposited = stamped(deposited(deposit(5), available=5), n=sequence)
        record = POISON._replace(offset=offset, value=encode(event))
        self.event(record, event)
        return record

    def set_aside(self) -> None:
        """Has the poison stand where it must: its account's later records follow it."""
        self.poisoned()
        self.letter_of(POISON)
        self.note_of(POISON, account_id=ACCOUNT)

    def says_of_it(self) -> list[str]:
        self.settle()
        return [violation.what for violation in self.told]


@pytest.fixture
def audited() -> Audited:
    return Audited(1)


def test_what_was_set_aside_as_it_must_be_is_right(audited: Audited) -> None:
    audited.set_aside()
    audited.held(2, offset=6)
    audited.held(3, offset=9)
    assert audited.says_of_it() == []
    assert audited.unapplied is None


def test_a_log_without_poison_proves_nothing(audited: Audited) -> None:
    assert audited.says_of_it() == []
    assert audited.unapplied == "no poison was ever in the log"


def test_poison_that_nobody_set_aside_is_missed(audited: Audited) -> None:
    audited.poisoned()
    [missed] = audited.says_of_it()
    assert "order-0 has 0 dead letters" in missed


def test_a_letter_without_a_note_is_noticed(audited: Audited) -> None:
    audited.poisoned()
    audited.letter_of(POISON)
    [alone] = audited.says_of_it()
    assert "1 letters, 0 notes" in alone


def test_letter_and_note_must_give_one_reason(audited: Audited) -> None:
    audited.poisoned()
    audited.letter_of(POISON, reason="version_unknown")
    audited.note_of(POISON)
    [differ] = audited.says_of_it()
    assert "set aside as version_unknown, noted as malformed" in differ


def test_what_can_be_read_is_no_poison(audited: Audited) -> None:
    audited.letter_of(POISON)
    audited.note_of(POISON)
    [sound] = audited.says_of_it()
    assert "balance.events.v1-0 at 5 is no poison" in sound


def test_a_letter_names_where_it_comes_from(audited: Audited) -> None:
    audited.letter(POISON._replace(topic=f"{POISON.topic}.order.dlq.v1"), POISON)
    [nowhere] = audited.says_of_it()
    assert nowhere.endswith("a dead letter without its origin")


def test_what_follows_poison_is_held_to_the_newest(audited: Audited) -> None:
    audited.set_aside()
    audited.held(2, offset=6)
    audited.followed(3, offset=9)
    [slipped] = audited.says_of_it()
    assert "its record at 9 is not" in slipped


def test_what_follows_poison_is_held_without_a_gap(audited: Audited) -> None:
    audited.set_aside()
    audited.held(2, offset=6)
    audited.held(4, offset=9)
    [gap] = audited.says_of_it()
    assert gap.endswith("events before 4 are not held")
