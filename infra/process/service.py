"""A shell service as a process: its owned partitions on Kafka, health and metrics beside them."""

import asyncio
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Self

from msgspec import json
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import Field, model_validator

from events.decider import Key
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.process.run import Program
from infra.process.server import serve_admin
from infra.process.settings import Settings
from infra.shell.service import Service
from infra.shell.shell import Shell

COUNTS = {
    "inputs": "Records taken.",
    "events": "Records appended to the own topic.",
    "batches": "Appends to the own topic.",
    "repeats": "Commands dropped because they were answered before.",
    "set_aside": "Records put into dead-letter topics.",
    "snapshots": "Snapshots begun.",
}


class ShellSettings(Settings):
    """partitions: those that this process owns, such as "0,1"; or, of several owners' equal shares, the one that is
    meant: "1/3" has every third partition from 1 on. All, if nothing is said.

    write_versions: the version of an event type that is written, by type, in place of the release's own: a writer
    goes on to the next once every reader knows it. JSON, such as {"order_accepted": 1}.
    """

    partitions: str = Field(default="", pattern=r"^(\d+(,\d+)*|\d+/\d+)?$")
    write_versions: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def own_what_exists(self) -> Self:
        """Returns the settings. Raises: ValueError if a named partition is not there, or a share has none."""
        if beyond := [p for p in self.owned if p >= self.partition_count]:
            raise ValueError(f"partitions {beyond}: there are {self.partition_count}, from 0")
        if not self.owned:
            raise ValueError(f"partitions {self.partitions}: none of {self.partition_count}")
        return self

    @property
    def owned(self) -> tuple[int, ...]:
        """Returns the partitions that this process owns, in order."""
        if "/" in self.partitions:
            share, shares = map(int, self.partitions.split("/"))
            return tuple(range(share, self.partition_count, shares)) if share < shares else ()
        named = sorted({int(p) for p in self.partitions.split(",") if p})
        return tuple(named or range(self.partition_count))


class ShellMetrics(Collector):
    """Reads a shell's figures whenever somebody asks, so that a turn pays nothing for them."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def collect(self) -> Iterator[Metric]:
        labels = ("service", "partition")
        families: dict[str, Any] = {
            name: CounterMetricFamily(f"orderstream_shell_{name}", text, labels=labels)
            for name, text in COUNTS.items()
        }
        rows = GaugeMetricFamily("orderstream_shell_rows", "Rows in memory.", labels=labels)
        hop = GaugeMetricFamily(
            "orderstream_shell_hop_seconds",
            "From the newest batch's last input appended to its events appended.",
            labels=labels,
        )
        for p, partition in self.shell.partitions.items():
            at = (self.shell.service.name, str(p))
            for name, family in families.items():
                family.add_metric(at, getattr(partition.figures, name))
            rows.add_metric(at, partition.figures.rows)
            hop.add_metric(at, partition.figures.hop_ms / 1000)
        yield from (*families.values(), rows, hop)


def state_hash(shell: Shell) -> dict[str, str]:
    """Returns, for each partition that has caught up, the SHA-256 of its rows as sorted JSON: for an audit at rest."""
    return {
        str(p): sha256(json.encode(named(partition.store.rows), order="sorted")).hexdigest()
        for p, partition in shell.partitions.items()
        if partition.figures.caught_up
    }


def named(rows: Mapping[Key, Any]) -> dict[str, Any]:
    return {"/".join(key): row for key, row in rows.items()}


async def serve(service: Service, settings: ShellSettings, stop: asyncio.Event) -> None:
    """Returns when stop is set and all is drained. Raises: what ended a partition; the restart heals."""
    log = KafkaLog(settings.kafka)
    shell = Shell(
        service,
        log,
        SystemClock(),
        owned=settings.owned,
        partitions=settings.partition_count,
        write_versions=settings.write_versions,
    )
    REGISTRY.register(ShellMetrics(shell))
    try:
        async with serve_admin(settings, shell.ready, {"/state-hash": lambda: state_hash(shell)}):
            await shell.run(stop)
    finally:
        await log.stop()


def program(service: Service) -> Program[ShellSettings]:
    """Returns what runs the service until it is asked to end."""

    async def main(settings: ShellSettings, stop: asyncio.Event) -> None:
        await serve(service, settings, stop)

    return Program(main, ShellSettings)
