"""The figures of a shell, read off a simulated run."""

from infra.process.service import COUNTS, ShellMetrics, state_hash
from tests.simulation.run import simulate
from tests.simulation.world import PARTITIONS


def test_a_shell_tells_its_figures_by_service_and_partition() -> None:
    shell = next(p.shell for p in simulate(0).processes if p.shell and p.service.name == "balance")
    told = {family.name: family.samples for family in ShellMetrics(shell).collect()}
    counted = {f"orderstream_shell_{name}" for name in COUNTS}
    assert told.keys() == counted | {"orderstream_shell_rows", "orderstream_shell_hop_seconds"}
    for samples in told.values():
        assert len(samples) == len(shell.partitions) <= PARTITIONS
        assert {sample.labels["service"] for sample in samples} == {"balance"}
    for sample in told["orderstream_shell_inputs"]:
        partition = shell.partitions[int(sample.labels["partition"])]
        assert sample.value == partition.figures.inputs
    assert state_hash(shell).keys() <= {str(p) for p in shell.partitions}
