"""One meaning or none: JSON as every parser reads it. What two parsers could read differently is refused."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

MAX_DEPTH = 16
MAX_KEYS = 200


class Malformed(ValueError):
    """The bytes are no strict JSON document; the text says what it is or has, and repeats nothing of them."""


def parse(raw: bytes) -> Any:
    """Returns the document. Numbers with a point or an exponent are Decimals, never floats.

    Raises: Malformed for anything but UTF-8 JSON without a byte order mark, NaN, Infinity, repeated keys,
    lone surrogates, more than 16 levels or more than 200 keys.
    """
    try:
        document = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise Malformed("is not UTF-8") from error
    except RecursionError as error:
        raise Malformed(f"is nested more than {MAX_DEPTH} deep") from error
    except ArithmeticError as error:  # an exponent that a Decimal can't have
        raise Malformed("has a number that can't be counted") from error
    except ValueError as error:
        raise error if isinstance(error, Malformed) else Malformed("is not JSON") from error
    if sum(_keys(document, 1)) > MAX_KEYS:
        raise Malformed(f"has more than {MAX_KEYS} keys")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("has a key twice")
    return fields


def _constant(_: str) -> NoReturn:
    raise Malformed("has a number that is none in JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=Decimal
)


def _keys(value: Any, depth: int) -> Iterator[int]:
    """Returns how many keys each object inside has. Raises: Malformed if it is too deep or no Unicode."""
    match value:
        case str():
            _unicode(value)
        case dict() | list():
            if depth > MAX_DEPTH:
                raise Malformed(f"is nested more than {MAX_DEPTH} deep")
            if isinstance(value, dict):
                yield len(value)
                for key in value:
                    _unicode(key)
            for item in value.values() if isinstance(value, dict) else value:
                yield from _keys(item, depth + 1)


def _unicode(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Malformed("has half a character, a lone surrogate") from error
