"""A service that answers a deposit in steps: no service of the exchange has come to that yet."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from events.balance import BalanceCommandRefused, Deposit, FundsDeposited
from events.codec import stamp
from events.decider import Context, Rows
from events.topics import Topic
from tests.infra.shell.stepper import stepper

STEPS: Topic[FundsDeposited | BalanceCommandRefused] = Topic(
    name="steps.events.v1",
    carries=FundsDeposited | BalanceCommandRefused,
    writer="stepper",
    about="Counts down from the length of its answer, event by event.",
)
FEW, MANY = stepper(2), stepper(900)


def length(deposit: Deposit) -> int:
    """Returns how many events answer it: some fill several batches."""
    return 1_900 if deposit.amount % 2 else 1 + deposit.amount % 7


def decide(rows: Rows, given: Any, context: Context) -> Sequence[Any]:
    if not isinstance(given, Deposit):
        return [refuse(given, "command_unsupported")]
    asked = stamp(given, amount=length(given))
    return (MANY if asked.amount > 7 else FEW).decide(rows, asked, context)


def refuse(command: Any, reason: str) -> BalanceCommandRefused:
    return BalanceCommandRefused(
        account_id=command.account_id,
        command=command.type,
        amount=command.amount,
        reason=reason,
        fingerprint=command.fingerprint,
    )


STEPPER = replace(FEW, writes=STEPS, decide=decide, refuse=refuse)
