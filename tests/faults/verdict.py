"""The verdict on a fault: once everything is healed and at rest, the auditor finds nothing."""

from collections.abc import Mapping

from ops.audit.report import Report
from ops.audit.run import audit

PATIENCE_S = 120
NONE: frozenset[tuple[str, int, int]] = frozenset()


async def verdict(
    endpoints: Mapping[str, str], *, foreign: frozenset[tuple[str, int, int]] = NONE
) -> Report:
    """Returns the audit of a whole stack, clean. endpoints: as a run folder has them; foreign: topic, partition and
    offset of the records that the test itself wrote into a service's topic.

    Raises: AssertionError with what was violated, or if the services do not come to rest.
    """
    report = await audit(endpoints["kafka"], patience_s=PATIENCE_S, foreign=foreign)
    assert report.at_rest, f"not at rest after {PATIENCE_S} s"
    assert not report.violations, "\n".join(f"{v.invariant} {v.what}" for v in report.violations)
    return report
