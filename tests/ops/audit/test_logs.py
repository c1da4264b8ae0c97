"""The auditor on what the simulation did: crashes, poison, late appends, old writers; nothing of it is a violation."""

import pytest

from tests.ops.audit.evidence import evidence


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_in_a_right_log(seed: int) -> None:
    assert evidence(seed).violations() == []
