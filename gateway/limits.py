"""How much an account may deposit and withdraw in a UTC day: settings by role, which each command carries along."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from events.envelope import SAFE_INTEGER
from infra.process.settings import Settings
from infra.stores.users import Role

Cents = Annotated[int, Field(ge=0, lt=SAFE_INTEGER)]
AMPLE = 10**12
"""Cents: more than anybody's balance may hold, so that only who trades in and out all day meets it."""


class Daily(NamedTuple):
    """Cents in a UTC day."""

    deposit: int
    withdrawal: int


Limits = Mapping[Role, Daily]


class LimitSettings(Settings):
    """ROLE_daily_deposit, ROLE_daily_withdrawal: cents in a UTC day; a deposit of 0 switches deposits off, as
    production does for whoever is not given one.
    """

    customer_daily_deposit: Cents = AMPLE
    customer_daily_withdrawal: Cents = AMPLE
    admin_daily_deposit: Cents = AMPLE
    admin_daily_withdrawal: Cents = AMPLE

    @model_validator(mode="before")
    @classmethod
    def keep_deposits_off_in_production(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Returns what was given and, in production, no deposits for whom it says nothing of."""
        off = {"customer_daily_deposit": 0, "admin_daily_deposit": 0}
        return off | given if given.get("env") == "production" else given

    @property
    def limits(self) -> Limits:
        return {
            "customer": Daily(self.customer_daily_deposit, self.customer_daily_withdrawal),
            "admin": Daily(self.admin_daily_deposit, self.admin_daily_withdrawal),
        }
