"""Money and quantities at the edge: decimal strings outside, integers of the smallest unit inside."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from events.envelope import SAFE_INTEGER

from .problems import invalid

PATTERN = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,18})?$"
USD_SCALE = 2
_DECIMAL = re.compile(PATTERN[1:-1])  # `$` would let a newline through, fullmatch doesn't
ZERO = r"^0(\.0+)?$"
_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": PATTERN, "not": {"pattern": ZERO}, "examples": ["12.50"]}
)


def positive(value: object) -> str:
    """Returns a plain decimal string above zero as it is. Raises: ValueError; numbers are none."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("decimal_string", 'Must be a decimal string such as "12.50"')
    if not value.strip("0."):
        raise PydanticCustomError("not_positive", "Must be more than zero")
    return value


def to_minor(text: str, scale: int) -> int:
    """Returns a plain decimal string in minor units, exactly.

    Raises: ValueError if it has more than scale digits behind the point, or is 2**53 minor units or more.
    """
    whole, _, part = text.partition(".")
    if len(part) > scale:
        raise PydanticCustomError(
            "too_many_digits", "At most {scale} digits may follow the point", {"scale": scale}
        )
    minor = int(whole + part.ljust(scale, "0"))
    if minor >= SAFE_INTEGER:
        raise PydanticCustomError("too_large", "Must be smaller")
    return minor


def scaled(text: str, scale: int, pointer: str) -> int:
    """Returns minor units of an asset whose scale was looked up after the body was validated.

    Raises: Refused, naming the pointer, where `to_minor` raises.
    """
    try:
        return to_minor(text, scale)
    except PydanticCustomError as error:
        raise invalid(pointer, error.type, error.message()) from error


def from_minor(amount: int, scale: int) -> str:
    """Returns minor units as a decimal string with exactly scale digits behind the point."""
    if scale == 0:
        return str(amount)
    digits = str(abs(amount)).zfill(scale + 1)
    return f"{'-' if amount < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def usd(cents: int) -> str:
    return from_minor(cents, USD_SCALE)


DecimalString = Annotated[str, BeforeValidator(positive), _SCHEMA]
"""Above zero, and still a string: its scale is its asset's, see `scaled`."""

UsdAmount = Annotated[
    int, BeforeValidator(lambda value: to_minor(positive(value), USD_SCALE)), _SCHEMA
]
"""Cents, 1 or more."""
