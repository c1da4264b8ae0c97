"""The settings of the daily limits."""

import pytest

from gateway.limits import AMPLE, Daily, LimitSettings
from infra.process.settings import MISCONFIGURED, load


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ORDERSTREAM_ENV", "production")
    return monkeypatch


def test_development_hardly_limits_anybody() -> None:
    ample = Daily(AMPLE, AMPLE)
    assert LimitSettings().limits == {"customer": ample, "admin": ample}


def test_production_takes_no_deposits_unless_it_is_told_to(told: pytest.MonkeyPatch) -> None:
    off = Daily(0, AMPLE)
    assert LimitSettings().limits == {"customer": off, "admin": off}
    told.setenv("ORDERSTREAM_CUSTOMER_DAILY_DEPOSIT", "50000")
    told.setenv("ORDERSTREAM_ADMIN_DAILY_WITHDRAWAL", "7")
    assert LimitSettings().limits == {"customer": Daily(50_000, AMPLE), "admin": Daily(0, 7)}


@pytest.mark.parametrize("cents", ["-1", "9007199254740992", "12.50", ""])
def test_what_is_no_amount_is_no_limit(told: pytest.MonkeyPatch, cents: str) -> None:
    told.setenv("ORDERSTREAM_CUSTOMER_DAILY_DEPOSIT", cents)
    with pytest.raises(SystemExit) as ended:
        load(LimitSettings)
    assert ended.value.code == MISCONFIGURED
