"""What a deployment must tell: each process its settings, a broker what the packaged one is told."""

from ops.stack import artefacts
from ops.stack.processes import settings_of

BY_ITSELF = {"process", "crash"}
"""Settings of a process that no deployment tells: the command says the one, tests alone have the other."""


def variables(process: str) -> set[str]:
    """Returns the names of all that the process is told."""
    fields = settings_of(process).model_fields.keys() - BY_ITSELF
    return {f"ORDERSTREAM_{field.upper()}" for field in fields}


def packaged_broker() -> dict[str, str]:
    """Returns the settings of the broker that `orderstream up` starts."""
    lines = artefacts.source("kafka.properties.in").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
