"""How much an account may deposit and withdraw in a UTC day, and what an order may be worth: settings by role, which
each command carries along.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from events.envelope import SAFE_INTEGER
from events.money import MAX_NOTIONAL, MIN_NOTIONAL
from infra.process.settings import Settings
from infra.stores.users import Role

Cents = Annotated[int, Field(ge=0, lt=SAFE_INTEGER)]
Worth = Annotated[int, Field(ge=MIN_NOTIONAL, le=MAX_NOTIONAL)]
AMPLE = 10**12
"""Cents: more than anybody's balance may hold, so that only who trades in and out all day meets it."""


class Allowed(NamedTuple):
    """deposit, withdrawal: cents in a UTC day; order: cents that one may be worth."""

    deposit: int
    withdrawal: int
    order: int = MAX_NOTIONAL


Limits = Mapping[Role, Allowed]


class LimitSettings(Settings):
    """ROLE_daily_deposit, ROLE_daily_withdrawal: cents in a UTC day; a deposit of 0 switches deposits off, as
    production does for whoever is not given one. ROLE_order_limit: cents that one order may be worth.
    """

    customer_daily_deposit: Cents = AMPLE
    customer_daily_withdrawal: Cents = AMPLE
    admin_daily_deposit: Cents = AMPLE
    admin_daily_withdrawal: Cents = AMPLE
    customer_order_limit: Worth = MAX_NOTIONAL
    admin_order_limit: Worth = MAX_NOTIONAL

    @model_validator(mode="before")
    @classmethod
    def keep_deposits_off_in_production(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Returns what was given and, in production, no deposits for whom it says nothing of."""
        off = {"customer_daily_deposit": 0, "admin_daily_deposit": 0}
        return off | given if given.get("env") == "production" else given

    @property
    def limits(self) -> Limits:
        return {
            "customer": Allowed(
                self.customer_daily_deposit,
                self.customer_daily_withdrawal,
                self.customer_order_limit,
            ),
            "admin": Allowed(
                self.admin_daily_deposit, self.admin_daily_withdrawal, self.admin_order_limit
            ),
        }
