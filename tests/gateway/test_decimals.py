"""Decimal strings outside, minor units inside, and nothing lost between."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.decimals import (
    PATTERN,
    ZERO,
    DecimalString,
    UsdAmount,
    from_minor,
    scaled,
    to_minor,
)
from gateway.problems import Refused

USD = TypeAdapter[int](UsdAmount)
ANY = TypeAdapter[str](DecimalString)
minors = st.integers(min_value=0, max_value=2**53 - 1)
scales = st.integers(min_value=0, max_value=18)


def fault(text: object) -> str:
    """Returns the code with which the text is refused as an amount of USD."""
    with pytest.raises(ValidationError) as refused:
        USD.validate_python(text, strict=True)
    (error,) = refused.value.errors()
    return error["type"]


TEXTS = (
    *("1e5", "1E-2", "+1", "-1", ".5", "1.", "01", "00", "1_000", "\uff11", "\u0661", "0x1"),
    *("", " 1", "1 ", "1\n", "1\0", "1,5", "1.5.0", "Infinity", "NaN", "1" * 17, "0." + "1" * 19),
    "9" * 10_000,
)


@pytest.mark.parametrize("text", [*TEXTS, 1, 0, True, None, b"1", ["1"], {"amount": "1"}])
def test_what_is_no_plain_decimal_string_is_refused(text: object) -> None:
    assert fault(text) == "decimal_string"
    with pytest.raises(ValidationError):
        ANY.validate_python(text, strict=True)


@pytest.mark.parametrize("text", ["0", "0.0", "0.000000000000000000"])
def test_nothing_is_not_an_amount(text: str) -> None:
    assert fault(text) == "not_positive"


def test_one_digit_more_is_an_error_even_if_it_is_zero() -> None:
    assert USD.validate_python("12.50") == 1250
    assert USD.validate_python("0.01") == 1
    assert fault("12.500") == "too_many_digits"
    assert fault("0.001") == "too_many_digits"


def test_the_largest_amount_is_what_javascript_can_count() -> None:
    assert to_minor("90071992547409.91", 2) == 2**53 - 1
    assert fault("90071992547409.92") == "too_large"
    assert fault("9007199254740992") == "too_large"


def test_a_scale_found_later_names_its_field() -> None:
    assert scaled("0.5", 8, "#/quantity") == 50_000_000
    with pytest.raises(Refused) as refused:
        scaled("0.5", 0, "#/quantity")
    assert refused.value.code == "validation_failed"
    assert [(one.pointer, one.code) for one in refused.value.errors] == [
        ("#/quantity", "too_many_digits")
    ]


@given(minors, scales)
def test_every_amount_comes_back(minor: int, scale: int) -> None:
    text = from_minor(minor, scale)
    assert to_minor(text, scale) == minor
    assert len(text.partition(".")[2]) == scale


@given(minors.filter(bool), scales)
def test_a_signed_amount_only_has_a_sign_more(minor: int, scale: int) -> None:
    assert from_minor(-minor, scale) == f"-{from_minor(minor, scale)}"


@given(st.from_regex(PATTERN.removesuffix("$"), fullmatch=True))
def test_the_document_takes_all_but_nothing(text: str) -> None:
    assert bool(re.fullmatch(ZERO, text)) == (not text.strip("0."))
