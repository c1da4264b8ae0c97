"""The settings of what an account may."""

import pytest

from events.money import MAX_NOTIONAL
from gateway.limits import AMPLE, Allowed, LimitSettings
from infra.process.settings import MISCONFIGURED, load


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ORDERSTREAM_ENV", "production")
    return monkeypatch


def test_development_hardly_limits_anybody() -> None:
    ample = Allowed(AMPLE, AMPLE)
    assert LimitSettings().limits == {"customer": ample, "admin": ample}


def test_production_takes_no_deposits_unless_it_is_told_to(told: pytest.MonkeyPatch) -> None:
    off = Allowed(0, AMPLE)
    assert LimitSettings().limits == {"customer": off, "admin": off}
    told.setenv("ORDERSTREAM_CUSTOMER_DAILY_DEPOSIT", "50000")
    told.setenv("ORDERSTREAM_ADMIN_DAILY_WITHDRAWAL", "7")
    told.setenv("ORDERSTREAM_ADMIN_ORDER_LIMIT", "100")
    customer, admin = Allowed(50_000, AMPLE, MAX_NOTIONAL), Allowed(0, 7, 100)
    assert LimitSettings().limits == {"customer": customer, "admin": admin}


@pytest.mark.parametrize(
    ("name", "cents"),
    [
        *(("DAILY_DEPOSIT", cents) for cents in ("-1", "9007199254740992", "12.50", "")),
        *(("ORDER_LIMIT", cents) for cents in ("0", "99", "1000000001", "12.50")),
    ],
)
def test_what_is_no_amount_is_no_limit(told: pytest.MonkeyPatch, name: str, cents: str) -> None:
    told.setenv(f"ORDERSTREAM_CUSTOMER_{name}", cents)
    with pytest.raises(SystemExit) as ended:
        load(LimitSettings)
    assert ended.value.code == MISCONFIGURED
