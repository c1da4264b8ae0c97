"""Orders, amounts and times as the edge takes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]
Amount = str | Decimal


def order(
    asset_id: str, side: Side, quantity: Amount | None, notional: Amount | None
) -> dict[str, str]:
    """Returns the body of a market order."""
    body: dict[str, str] = {"asset_id": asset_id, "side": side, "type": "market"}
    return body | sizes({"quantity": quantity, "notional": notional})


def sizes(named: Mapping[str, Amount | None]) -> dict[str, str]:
    """Returns those that are given, as the edge takes them."""
    return {name: spelled(size) for name, size in named.items() if size is not None}


def span(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    """Returns the times from since on, before until, as the edge takes them. Raises: ValueError without a zone."""
    return {"from": moment(since), "to": moment(until)}


def moment(time: datetime | None) -> str | None:
    if time is not None and time.utcoffset() is None:
        raise ValueError(f"{time} has no time zone: it may be any of several moments")
    return None if time is None else time.astimezone(UTC).isoformat()


def spelled(amount: Amount) -> str:
    """Returns the amount as the edge takes it, without an exponent."""
    return f"{amount:f}" if isinstance(amount, Decimal) else amount
