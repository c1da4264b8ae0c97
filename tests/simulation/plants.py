"""Faults planted one at a time: each is a change of the product's source that some test must notice."""

import shutil
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).parents[2]
CODE = ("events", "infra", "services", "gateway", "ops", "tests", "pyproject.toml")

SIMULATION = ("-m", "tests.simulation", "--seeds", "150")
CRASH_POINTS = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/infra/shell")
ORDER_SPECS = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/services/test_order.py")
REGRESSIONS = (
    "-m",
    "pytest",
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "tests/simulation/test_shrink.py",
)
PARTITION = "infra/shell/partition.py"
RESTORE = "infra/shell/restore.py"


class Plant(NamedTuple):
    """old is replaced by new in the module, and so is also[0] by also[1]; the command must then fail."""

    name: str
    module: str
    old: str
    new: str
    command: tuple[str, ...] = SIMULATION
    also: tuple[str, str] | None = None


def plant(fault: Plant, copy: Path) -> None:
    """Leaves a copy of the tree there that has the fault."""
    for name in CODE:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    module = copy / fault.module
    text = module.read_text()
    for old, new in [(fault.old, fault.new), *([fault.also] if fault.also else [])]:
        assert text.count(old) == 1, f"{fault.name}: {fault.module} no longer reads like that"
        text = text.replace(old, new)
    module.write_text(text)


PLANTS = (
    Plant(
        "checkpoint in a batch of its own",
        PARTITION,
        """        batch = turn.close(headers)
""",
        """        batch = turn.close(())
""",
        CRASH_POINTS,
        (
            """        appended = await self.writer.append(batch)
""",
            """        appended = await self.writer.append(batch)
        alone = Turn(self.writer.batch(self.own), self.writer.next_offset(self.own))
        alone.add(control(PositionNoted(occurred_at=max(1, self.now))))
        await self.writer.append(alone.close(headers))
""",
        ),
    ),
    Plant(
        "no fence",
        PARTITION,
        """            f"{self.service.name}-{self.p}", [self.own], claim
""",
        """            f"{self.service.name}-{self.p}-{id(self)}", [self.own], claim
""",
    ),
    Plant(
        "own topic read before the fence",
        PARTITION,
        """        sides = self.service.sides(self.p)
        side = await""",
        """        before = (await self.log.bounds([self.own]))[self.own].end
        self._own_claim = before
        sides = self.service.sides(self.p)
        side = await""",
        SIMULATION,
        (
            """        restored = await restore(self.log, self.service, self.p, stored, claim)
""",
            """        restored = await restore(self.log, self.service, self.p, stored, self._own_claim)
""",
        ),
    ),
    Plant(
        "repeats not dropped",
        PARTITION,
        """            if message.id in self.answered or message.id in turn.answers:
""",
        """            if message.id == "":
""",
    ),
    Plant(
        "a tick not folded",
        PARTITION,
        """            self.market.fold(message, record.timestamp, record.offset)
            return message
""",
        """            if record.offset % 3:
                self.market.fold(message, record.timestamp, record.offset)
            return message
""",
    ),
    Plant(
        "a batch sent again after the lease",
        "infra/log/life.py",
        """        if self.alive_ms() > until_ms:
""",
        """        if self.alive_ms() > until_ms < 0:
""",
        REGRESSIONS,
    ),
    Plant(
        "a fill settled twice",
        "services/balance/domain.py",
        """        return [settled, release(fill, after, left)]
""",
        """        return [settled, settled, release(fill, after, left)]
""",
    ),
    Plant(
        "a release forgotten",
        "services/balance/domain.py",
        """    if left and not fill.leaves_quantity:
""",
        """    if left and fill.leaves_quantity:
""",
    ),
    Plant(
        "rounding per fill",
        "services/order/domain.py",
        """        cost=cost - order.cost,
""",
        """        cost=rounded(order.side, quantity * seen.price, unit(order.scale, order.price_scale)),
""",
        ORDER_SPECS,
    ),
    Plant(
        "a failed append ignored",
        PARTITION,
        """        appended = await self.writer.append(batch)
""",
        """        try:
            appended = await self.writer.append(batch)
        except Exception:
            name = f"{self.service.name}-{self.p}"
            self.writer = await self.log.take_over(name, [self.own], self._claim())
            self.previous = self.writer.claims[self.own]
            return
""",
    ),
    Plant(
        "a snapshot of an unacknowledged row",
        PARTITION,
        """        checkpoint = self.checkpoint()
        headers""",
        """        checkpoint = self.checkpoint()
        closing = Closing(self.writer.next_offset(self.own) + len(turn), checkpoint)
        await snapshot.write(
            self.side, self.service.state(self.p), self.store.note(), closing
        )
        headers""",
        CRASH_POINTS,
    ),
    Plant(
        "the changed set empty after a restore",
        RESTORE,
        """    _mark(store, snapshot, begin)
""",
        """    store.changed.clear()
""",
        CRASH_POINTS,
    ),
    Plant(
        "an own event before the closing record folded",
        RESTORE,
        """    answered = await _answered(log, service, p, checkpoint, claim)
""",
        """    answered = await _answered(log, service, p, checkpoint, claim)
    async for record in stretch(log, service.output(p), 0, begin):
        if (event := own_event(service, record)) is not None:
            store.fold(event, record.offset)
""",
        CRASH_POINTS,
    ),
    Plant(
        "a claim taken for a checkpoint",
        RESTORE,
        """        checkpoint = checkpoints.carried(record.headers) or checkpoint
""",
        """        checkpoint = checkpoints.carried(record.headers) or checkpoint
        if record.key == b"control:partition_claimed":
            checkpoint = Checkpoint({}, 0)
""",
        CRASH_POINTS,
    ),
    Plant(
        "the second step of an input dropped",
        PARTITION,
        """            if not isinstance(events, Unfinished):
                return True
""",
        """            if not isinstance(events, list) or events:
                return True
""",
        CRASH_POINTS,
    ),
)
