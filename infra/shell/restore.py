"""From the log alone back to where the last owner of the partition stood."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import structlog
from pydantic_core import from_json, to_json

from events.codec import Poison, value_decoder
from events.control import RecordQuarantined
from events.decider import Key
from events.market import Market
from events.money import PRICE_MAX_AGE
from events.topics import CONTROL
from infra.log.port import TP, Log, Record

from . import checkpoint as checkpoints
from .checkpoint import Checkpoint
from .reading import is_control, stretch
from .repeats import Answered, reading_start
from .rows import RowStore, StoredRow
from .service import Service
from .snapshot import CLOSING, Closing, read_closing, read_key

PROGRESS = 100_000
log_line = structlog.get_logger()


class StateAheadOfLog(Exception):
    """A snapshot knows of own events that the log does not have: the topic was made anew or lost records."""


class Snapshot(NamedTuple):
    """What the state topic says. rows: also those that a later, unclosed snapshot wrote."""

    rows: dict[Key, StoredRow]
    closing: Closing | None


class Restored(NamedTuple):
    """checkpoint: None if p never wrote anything."""

    store: RowStore
    answered: Answered
    checkpoint: Checkpoint | None


async def read_snapshot(log: Log, service: Service, p: int, claims: Mapping[TP, int]) -> Snapshot:
    """Returns what the state topic holds up to the own claim in it."""
    kinds = {kind: value_decoder(row) for kind, row in RowStore(service).kinds.items()}
    rows: dict[Key, StoredRow] = {}
    closing = None
    tp = service.state(p)
    start = (await log.bounds([tp]))[tp].start
    async for record in stretch(log, tp, start, claims[tp]):
        if is_control(record):
            continue
        assert record.key is not None
        if record.key == CLOSING:
            closing = read_closing(record.value or b"")
            continue
        key = read_key(record.key)
        if record.value is None:
            rows.pop(key, None)
            continue
        body = from_json(record.value)
        row = kinds[key[0]](to_json(body["row"])) if "row" in body else None
        rows[key] = StoredRow(row, body["at"])
    return Snapshot(rows, closing)


async def restore(log: Log, service: Service, p: int, snapshot: Snapshot, claim: int) -> Restored:
    """Returns rows, answered ids and checkpoint as of the own claim. Raises: StateAheadOfLog."""
    closing = snapshot.closing
    begin = closing.position if closing else 0
    ahead = max([begin, *(stored.at for stored in snapshot.rows.values())])
    if ahead > claim:
        raise StateAheadOfLog(
            f"{service.name}-{p}: its state topic stands at own offset {ahead}, its log ends at {claim}."
            f" Audit the log; if it is right, empty the state topic and start again"
        )
    store = RowStore(service)
    known = snapshot.rows if closing else {}
    store.rows = {key: stored.row for key, stored in known.items() if stored.row is not None}
    records = stretch(log, service.output(p), begin, claim)
    checkpoint = await _replay(records, service, store, known)
    if closing:
        checkpoint = checkpoint.after(closing.checkpoint) if checkpoint else closing.checkpoint
    _mark(store, snapshot, begin)
    answered = await _answered(log, service, p, checkpoint, claim)
    return Restored(store, answered, checkpoint)


async def _replay(
    records: AsyncIterator[Record],
    service: Service,
    store: RowStore,
    known: Mapping[Key, StoredRow],
) -> Checkpoint | None:
    """Folds the own events, but for rows that have them in them; returns the newest checkpoint among them."""
    checkpoint = None
    folded = 0
    async for record in records:
        checkpoint = checkpoints.carried(record.headers) or checkpoint
        event = own_event(service, record)
        if event is None:
            continue
        store.fold(event, record.offset, known)
        folded += 1
        if folded % PROGRESS == 0:
            log_line.info("restoring", service=service.name, offset=record.offset, folded=folded)
    assert checkpoint is not None or not folded, f"{service.name}: events without a checkpoint"
    return checkpoint


def own_event(service: Service, record: Record) -> Any:
    """Returns the event to fold, None for bookkeeping that touches no row."""
    assert record.value is not None
    if not is_control(record):
        return service.writes.decode(record.value)
    control = CONTROL(record.value)
    return control if isinstance(control, RecordQuarantined) else None


def _mark(store: RowStore, snapshot: Snapshot, begin: int) -> None:
    """Has the next snapshot write what the last closed one may lack: the replay's rows, rows of an unclosed one,
    gone ones; without a closed one all rows, and keys that have none any more.
    """
    for key, stored in snapshot.rows.items():
        if snapshot.closing is None or stored.at >= begin or stored.row is None:
            store.changed.setdefault(key, stored.at)
    if snapshot.closing is None:
        for key in store.rows:
            store.changed.setdefault(key, begin)


async def _answered(
    log: Log, service: Service, p: int, checkpoint: Checkpoint | None, claim: int
) -> Answered:
    """Returns the ids answered in the window before the checkpoint's time, read from the own events."""
    answered = Answered()
    if checkpoint is None or not service.commands:
        return answered
    own = service.output(p)
    start = await log.offset_at(own, reading_start(checkpoint.now))
    batch: list[str] = []
    async for record in stretch(log, own, start, claim):
        if not is_control(record):
            event = service.writes.decode(record.value or b"")
            if event.causation_id == event.command_id:
                batch.append(event.command_id)
        if carried := checkpoints.carried(record.headers):
            answered.add(batch, carried.now)
            batch.clear()
    answered.forget(checkpoint.now)
    return answered


async def read_market(log: Log, service: Service, positions: Mapping[TP, int], now: int) -> Market:
    """Returns the cache of the followed topics as of the positions: the catalogue, and no older prices than
    could still fill an order.
    """
    market = Market()
    for topic in service.follows:
        tp = (topic.name, 0)
        start = 0 if topic.compacted else await log.offset_at(tp, now - PRICE_MAX_AGE)
        bounds = (await log.bounds([tp]))[tp]
        end = max(positions[tp], bounds.end) if topic.compacted else positions[tp]
        async for record in stretch(log, tp, max(start, bounds.start), end):
            with suppress(Poison):  # it was set aside when it was an input, or will be
                message = topic.decode(record.value or b"")
                market.fold(message, record.timestamp, record.offset)
    return market
