"""Faults planted in what an audit is handed, each as a broken program, broker or store would leave it."""

from collections.abc import Callable
from typing import NamedTuple

from events.balance import (
    BalanceCommandRefused,
    FundsDeposited,
    FundsFrozen,
    FundsRefused,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.order import AccountFrozen, AccountUnfrozen, OrderAccepted, OrderFilled, OrderRejected
from events.portfolio import PositionChanged
from events.trade import TradeExecuted
from ops.audit.batches import is_claim
from ops.audit.outcomes import COMMANDS, Asked
from tests.ops.audit.evidence import Evidence
from tests.ops.audit.tamper import (
    NOWHERE,
    Absent,
    change,
    claims,
    double,
    drop,
    find,
    letters,
    put,
    record_of,
    write_checkpoint,
)


def deposit_counted_twice(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited)
    change(evidence, found, available=found.message.available + found.message.amount)


def settled_for_less_than_traded(evidence: Evidence) -> None:
    """At every prefix the sums are right: only the tape tells."""
    found = find(evidence, TradeExecuted)
    change(evidence, found, cost=found.message.cost + 1)


def asset_out_of_nothing(evidence: Evidence) -> None:
    found = find(evidence, PositionChanged)
    change(evidence, found, available=found.message.available + 1)


def amount_beyond_javascript(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited)
    change(evidence, found, available=2**53)


def amount_that_is_no_number(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited)
    record = record_of(evidence, found)
    raw = (record.value or b"").replace(b'"held":0', b'"held":true')
    put(evidence, found, record._replace(value=raw))


def hold_released_twice(evidence: Evidence) -> None:
    double(evidence, find(evidence, FundsReleased))


def release_forgotten(evidence: Evidence) -> None:
    drop(evidence, find(evidence, FundsReleased))


def held_without_reservation(evidence: Evidence) -> None:
    found = find(evidence, FundsReserved)
    change(evidence, found, amount=found.message.amount - 1)


def command_without_answer(evidence: Evidence) -> None:
    drop(evidence, find(evidence, OrderRejected, lambda e: e.causation_id == e.command_id))


def command_answered_twice(evidence: Evidence) -> None:
    """Dedupe off: the second sending of a command was decided too."""
    double(evidence, find(evidence, FundsDeposited))


def event_without_cause(evidence: Evidence) -> None:
    change(evidence, find(evidence, OrderAccepted), causation_id=NOWHERE)


def id_not_derived(evidence: Evidence) -> None:
    change(evidence, find(evidence, OrderAccepted), id=NOWHERE)


def accepted_and_lost(evidence: Evidence) -> None:
    evidence.journal.append(Asked(NOWHERE, accepted=True))


def refused_and_published(evidence: Evidence) -> None:
    known = next(iter(evidence.messages(COMMANDS)))
    evidence.journal.append(Asked(known.id, accepted=False))


def fill_settled_twice(evidence: Evidence) -> None:
    double(evidence, find(evidence, FundsSettled))


def fill_never_on_the_tape(evidence: Evidence) -> None:
    drop(evidence, find(evidence, TradeExecuted))


def fee_rounded_down(evidence: Evidence) -> None:
    """Everywhere alike, so that all sums balance: only the rounding is wrong."""
    filled = find(evidence, OrderFilled, lambda e: e.fee > 0)
    ids = {filled.message.id}
    for kind in (OrderFilled, TradeExecuted, FundsSettled, PositionChanged):
        found = find(
            evidence, kind, lambda e: not ids.isdisjoint({e.id, getattr(e, "trade_id", "")})
        )
        change(evidence, found, fee=filled.message.fee - 1)


def filled_at_an_old_price(evidence: Evidence) -> None:
    found = find(evidence, OrderFilled)
    change(evidence, found, price_time=found.message.price_time - 60_000)


def filled_outside_the_collar(evidence: Evidence) -> None:
    found = find(evidence, OrderFilled)
    change(evidence, found, price=found.message.price * 2)


def filled_after_the_end(evidence: Evidence) -> None:
    double(evidence, find(evidence, OrderFilled))


def sequence_with_a_gap(evidence: Evidence) -> None:
    found = find(evidence, OrderAccepted)
    change(evidence, found, sequence=found.message.sequence + 1)


def snapshot_of_an_older_row(evidence: Evidence) -> None:
    """Its row was folded once more before the snapshot's position than it says."""
    for tp in (tp for tp in evidence.log if tp[0] == "balance.state.v1"):
        for b, batch in reversed(list(enumerate(evidence.log[tp]))):
            if batch.records and b'"balance"' in (batch.records[0].key or b""):
                record = batch.records[0]
                older = (record.value or b"").replace(b'"available":', b'"available":1')
                evidence.log[tp][b] = batch._replace(records=[record._replace(value=older)])
                return
    raise Absent("a snapshot of a balance")


def process_remembers_something_else(evidence: Evidence) -> None:
    evidence.lives[next(iter(evidence.lives))] = "0" * 64


def decided_for_another_reason(evidence: Evidence) -> None:
    found = find(evidence, BalanceCommandRefused, lambda e: e.available is not None)
    change(evidence, found, reason="order_unknown")


def decided_on_another_row(evidence: Evidence) -> None:
    """Refused for want of money that was there."""
    found = find(evidence, FundsRefused)
    change(evidence, found, amount=found.message.available)


def checkpoint_in_a_batch_of_its_own(evidence: Evidence) -> None:
    found = find(evidence, OrderAccepted)
    batches = evidence.log[found.tp]
    batch = batches[found.batch]
    last = batch.records[-1]
    bare = last._replace(headers=last.headers[:2])
    alone = last._replace(key=b"control:position_noted", value=b"{}", offset=last.offset + 1)
    batches[found.batch] = batch._replace(records=[*batch.records[:-1], bare])
    batches.insert(found.batch + 1, batch._replace(offset=batch.end, records=[alone]))


def checkpoint_that_is_none(evidence: Evidence) -> None:
    write_checkpoint(evidence, find(evidence, OrderAccepted), b"{")


def checkpoint_that_steps_back(evidence: Evidence) -> None:
    """To where nothing was taken: not even what the batch itself answers."""
    found = find(evidence, OrderFilled)
    start = b'{"positions":[["order.commands.v1",%d,0]],"now":0}' % found.tp[1]
    write_checkpoint(evidence, found, start)


def input_taken_twice(evidence: Evidence) -> None:
    """Own topic read before the fence: a batch that stood there already is decided again."""
    found = find(evidence, OrderAccepted)
    batches = evidence.log[found.tp]
    batches.insert(found.batch + 1, batches[found.batch])


def batch_of_an_intruder(evidence: Evidence) -> None:
    found = find(evidence, OrderAccepted)
    del evidence.log[found.tp][found.batch - 1]


def data_of_a_transaction(evidence: Evidence) -> None:
    found = find(evidence, OrderAccepted)
    batches = evidence.log[found.tp]
    batches[found.batch] = batches[found.batch]._replace(transactional=True)


def record_hidden_from_a_consumer(evidence: Evidence) -> None:
    evidence.unseen.add(record_of(evidence, find(evidence, OrderAccepted)))


def zombie_behind_the_fence(evidence: Evidence) -> None:
    """What the older owner had in flight arrives behind the new one's claim, and is not refused."""
    for tp, b in claims(evidence):
        batches = evidence.log[tp]
        before = next(
            (i for i in range(b - 1, 0, -1) if batches[i].records and not is_claim(batches[i])),
            None,
        )
        if before is not None:
            late = batches.pop(before)
            batches.insert(b, late._replace(offset=batches[b - 1].end))
            return
    raise Absent("an owner before the last")


def take_over_without_a_fence(evidence: Evidence) -> None:
    """A new owner under another name: no marker shuts the old one out, and no claim says that it came."""
    for tp, b in claims(evidence):
        batches = evidence.log[tp]
        rest = [batch for batch in batches[b - 1 :] if not (is_claim(batch) or batch.control)]
        if rest:
            batches[b - 1 :] = [batch._replace(producer_id=99) for batch in rest]
            return
    raise Absent("an owner that wrote")


def row_folded_twice(evidence: Evidence) -> None:
    """A projection without the conditional checkpoint."""
    rows = evidence.views["live"].rows
    key = next((k for k, r in rows.items() if k[0] == "order" and r["fills"]), None)
    if key is None:
        raise Absent("an order with a fill")
    evidence.views["live"].rows[key] = rows[key] | {"cost": 2 * rows[key]["cost"]}  # type: ignore[index]


def row_missing(evidence: Evidence) -> None:
    rows = dict(evidence.views["history"].rows)
    del rows[next(key for key in rows if key[0] == "balance")]
    evidence.views["history"] = evidence.views["history"]._replace(rows=rows)


def checkpoint_ahead_of_its_rows(evidence: Evidence) -> None:
    view = evidence.views["live"]
    late = {place: max(0, position - 2) for place, position in view.positions.items()}
    evidence.views["live"] = view._replace(positions=late)


def poison_set_aside_twice(evidence: Evidence) -> None:
    for tp, b in letters(evidence):
        evidence.log[tp].append(evidence.log[tp][b])
        return
    raise Absent("poison")


def poison_skipped(evidence: Evidence) -> None:
    for tp, b in letters(evidence):
        del evidence.log[tp][b]
        return
    raise Absent("poison")


def topic_that_forgets(evidence: Evidence) -> None:
    evidence.wrong.append(("order.events.v1", "retention.ms", "604800000", "-1"))


def leader_of_another_history(evidence: Evidence) -> None:
    found = find(evidence, OrderAccepted)
    batches = evidence.log[found.tp]
    batches[found.batch] = batches[found.batch]._replace(leader_epoch=-1)
    batches[found.batch - 1] = batches[found.batch - 1]._replace(leader_epoch=4)


def withdrawn_while_frozen(evidence: Evidence) -> None:
    """The thaw that let it through was never told."""
    thawed = find(evidence, FundsFrozen, lambda e: not e.frozen)
    of = thawed.message.account_id
    find(
        evidence,
        FundsWithdrawn,
        lambda e: e.account_id == of and e.sequence > thawed.message.sequence,
    )
    change(evidence, thawed, frozen=True)


def ordered_while_frozen(evidence: Evidence) -> None:
    frozen = find(evidence, AccountFrozen)
    of = frozen.message.account_id
    thawed = find(evidence, AccountUnfrozen, lambda e: e.account_id == of)
    find(
        evidence,
        OrderAccepted,
        lambda e: e.account_id == of and e.sequence > thawed.message.sequence,
    )
    drop(evidence, thawed)


def frozen_for_orders_alone(evidence: Evidence) -> None:
    drop(evidence, find(evidence, FundsFrozen))


def more_than_a_day_s_limit(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited, lambda e: e.limit)
    change(evidence, found, limit=found.message.used - 1)


def day_that_forgets(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited, lambda e: e.limit and e.used > e.amount)
    change(evidence, found, used=found.message.amount)


def day_that_began_too_early(evidence: Evidence) -> None:
    found = find(evidence, FundsDeposited, lambda e: e.limit)
    change(evidence, found, resets_at=found.message.resets_at - 86_400_000)


class Plant(NamedTuple):
    """invariant: the one that must notice it."""

    invariant: str
    fault: Callable[[Evidence], None]

    @property
    def name(self) -> str:
        return self.fault.__name__.replace("_", " ")


PLANTS = (
    Plant("I1", deposit_counted_twice),
    Plant("I1", settled_for_less_than_traded),
    Plant("I2", asset_out_of_nothing),
    Plant("I3", amount_beyond_javascript),
    Plant("I3", amount_that_is_no_number),
    Plant("I4", hold_released_twice),
    Plant("I4", release_forgotten),
    Plant("I4", held_without_reservation),
    Plant("I5", command_without_answer),
    Plant("I5", command_answered_twice),
    Plant("I6", event_without_cause),
    Plant("I6", id_not_derived),
    Plant("I7", accepted_and_lost),
    Plant("I7", refused_and_published),
    Plant("I8", fill_settled_twice),
    Plant("I8", fill_never_on_the_tape),
    Plant("I9", fee_rounded_down),
    Plant("I9", filled_at_an_old_price),
    Plant("I9", filled_outside_the_collar),
    Plant("I9", filled_after_the_end),
    Plant("I10", sequence_with_a_gap),
    Plant("I11", snapshot_of_an_older_row),
    Plant("I11", process_remembers_something_else),
    Plant("I12", decided_for_another_reason),
    Plant("I12", decided_on_another_row),
    Plant("I13", checkpoint_in_a_batch_of_its_own),
    Plant("I13", checkpoint_that_is_none),
    Plant("I13", checkpoint_that_steps_back),
    Plant("I13", input_taken_twice),
    Plant("I13", batch_of_an_intruder),
    Plant("I13", data_of_a_transaction),
    Plant("I14", record_hidden_from_a_consumer),
    Plant("I15", zombie_behind_the_fence),
    Plant("I15", take_over_without_a_fence),
    Plant("I16", row_folded_twice),
    Plant("I16", row_missing),
    Plant("I16", checkpoint_ahead_of_its_rows),
    Plant("I20", poison_set_aside_twice),
    Plant("I20", poison_skipped),
    Plant("I21", topic_that_forgets),
    Plant("I21", leader_of_another_history),
    Plant("I22", withdrawn_while_frozen),
    Plant("I22", ordered_while_frozen),
    Plant("I22", frozen_for_orders_alone),
    Plant("I22", more_than_a_day_s_limit),
    Plant("I22", day_that_forgets),
    Plant("I22", day_that_began_too_early),
)
