"""The verdict on a fault: once everything is healed and at rest, the auditor finds nothing."""

from collections.abc import Iterable, Mapping

from ops.audit.outcomes import Asked
from ops.audit.report import Report
from ops.audit.run import audit
from ops.audit.where import Where
from ops.redecide import Redecided
from ops.stack.folder import RunFolder

PATIENCE_S = 120
NONE: frozenset[tuple[str, int, int]] = frozenset()


async def verdict(
    stack: RunFolder | Mapping[str, str],
    *,
    journal: Iterable[Asked] | None = None,
    foreign: frozenset[tuple[str, int, int]] = NONE,
) -> Report:
    """Returns the audit of a stack, clean. stack: its folder, or what endpoints there are (kafka at least): whatever is
    there is asked; journal: what clients asked for; foreign: topic, partition and offset of the records that the test
    itself wrote into a service's topic.

    Raises: AssertionError with what was violated, or if the services do not come to rest.
    """
    where = Where.in_folder(stack) if isinstance(stack, RunFolder) else Where.of(stack)
    report = await audit(
        where, patience_s=PATIENCE_S, journal=journal, foreign=foreign, more=(Redecided(),)
    )
    assert report.at_rest, f"not at rest after {PATIENCE_S} s"
    assert not report.violations, "\n".join(f"{v.invariant} {v.what}" for v in report.violations)
    return report
