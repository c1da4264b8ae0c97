"""Money and quantities from outside: row 36 of the security table."""

from typing import Any, NamedTuple

import pytest

from tests.gateway.conftest import Twins
from tests.gateway.routes.conftest import Customer, customer

__all__ = ["customer"]
BUY = {"asset_id": "BTC", "side": "buy"}


class Place(NamedTuple):
    """Where a number stands: path, its field, and the rest of the body."""

    path: str
    field: str
    rest: dict[str, str]

    def holding(self, number: object) -> tuple[str, dict[str, object]]:
        """Returns path and body of a request."""
        return self.path, {**self.rest, self.field: number}


DEPOSIT, WITHDRAW = (Place(f"/balance/{name}", "amount", {}) for name in ("deposit", "withdraw"))
QUANTITY, NOTIONAL = (Place("/orders", name, BUY) for name in ("quantity", "notional"))
PREVIEW = Place("/orders/preview", "quantity", BUY)
SPELLINGS = (
    *("1e5", "1E-2", "+1", "-1", ".5", "1.", "01", "00", "1_000", " 1", "1 ", "1\n", "1\0", "1,5"),
    *(
        "\u0661",
        "\uff11",
        "0x1",
        "Infinity",
        "-Infinity",
        "NaN",
        "",
        "1.5.0",
        "1" * 17,
        "0." + "1" * 19,
    ),
    "9" * 10_000,
)
NOTHING = ("0", "0.0", "0.000", "0.000000000000000000")
NO_STRINGS: tuple[Any, ...] = (1, 0, -1, True, None, ["1"], {"value": "1"})


@pytest.mark.parametrize("place", [DEPOSIT, WITHDRAW, QUANTITY, NOTIONAL, PREVIEW])
async def test_s36_only_plain_decimal_strings_above_zero_are_amounts(
    customer: Customer, twins: Twins, place: Place
) -> None:
    for wrong in (*SPELLINGS, *NOTHING, *NO_STRINGS):
        answer = await customer.post(*place.holding(wrong))
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), wrong
        assert answer.json()["errors"][0]["pointer"] in (f"#/{place.field}", "#"), wrong
    assert twins.backstage.commands() == []


async def test_s36_a_megabyte_of_digits_is_not_even_read(customer: Customer, twins: Twins) -> None:
    answer = await customer.post("/balance/deposit", {"amount": "1" * 2**20})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert twins.backstage.commands() == []


@pytest.mark.parametrize(
    ("place", "fits"),
    [(DEPOSIT, "12.34"), (WITHDRAW, "12.34"), (NOTIONAL, "12.34"), (QUANTITY, "0.00123456")],
)
async def test_s36_the_scale_is_the_limit_and_one_digit_more_an_error(
    customer: Customer, twins: Twins, place: Place, fits: str
) -> None:
    await customer.deposit("1000.00")
    assert (await customer.post(*place.holding(fits))).status_code == 201
    before = len(twins.backstage.commands())
    for more in (f"{fits}0", f"{fits}1"):
        answer = await customer.post(*place.holding(more))
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
            (f"#/{place.field}", "too_many_digits")
        ]
    assert len(twins.backstage.commands()) == before


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (DEPOSIT, "90071992547409.92"),
        (DEPOSIT, "9007199254740992"),
        (NOTIONAL, "90071992547409.92"),
        (QUANTITY, "90071992.54740992"),
    ],
)
async def test_s36_two_to_the_53_minor_units_are_too_many(
    customer: Customer, twins: Twins, place: Place, text: str
) -> None:
    answer = await customer.post(*place.holding(text))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "too_large"
    assert twins.backstage.commands() == []
