"""Every refusal, in the order in which they are checked, one sentence each.

On the wire a reason is an open string: a reader treats one that it doesn't know as a refusal.
"""

from enum import StrEnum


class Reason(StrEnum):
    sentence: str

    def __new__(cls, value: str, sentence: str) -> "Reason":
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.sentence = sentence
        return reason

    COMMAND_EXPIRED = "command_expired", "The command was first tried more than 15 minutes before."
    COMMAND_FROM_FUTURE = "command_from_future", "The command's time lies ahead of the log's."
    COMMAND_UNSUPPORTED = "command_unsupported", "This release does not carry out that command."
    AMOUNT_NOT_POSITIVE = "amount_not_positive", "The amount is zero."
    ORDER_MALFORMED = (
        "order_malformed",
        "The order needs one of quantity and notional, and no price that its type does not take.",
    )
    ORDER_TYPE_UNSUPPORTED = "order_type_unsupported", "This release fills market orders only."
    ACCOUNT_FROZEN = "account_frozen", "The account is frozen."
    DEPOSITS_DISABLED = "deposits_disabled", "Deposits by customers are switched off."
    ASSET_UNKNOWN = "asset_unknown", "No such asset is listed."
    ASSET_HALTED = "asset_halted", "Trading in the asset is halted."
    PRICE_STALE = "price_stale", "The asset's last price is more than 10 seconds old."
    QUANTITY_BELOW_MINIMUM = "quantity_below_minimum", "The quantity is below the asset's smallest."
    NOTIONAL_BELOW_MINIMUM = "notional_below_minimum", "The order is worth less than 1.00 USD."
    LIMIT_EXCEEDED = (
        "limit_exceeded",
        "The amount passes 10,000,000.00 USD, what one order may be worth, or the day's limit.",
    )
    PRICE_LEFT_COLLAR = "price_left_collar", "The price moved more than 2 % before the fill."
    INSUFFICIENT_FUNDS = "insufficient_funds", "The available balance is too small."
    INSUFFICIENT_ASSETS = "insufficient_assets", "The available quantity of the asset is too small."
    ORDER_UNKNOWN = "order_unknown", "No such order is open."
    ORDER_CLOSED = "order_closed", "The order is over already."
    REPLACE_PENDING = "replace_pending", "Another change of the order is under way."
    CANCELED_BY_CLIENT = "canceled_by_client", "The client asked for it."


OF_BALANCE = (
    Reason.COMMAND_EXPIRED,
    Reason.COMMAND_FROM_FUTURE,
    Reason.AMOUNT_NOT_POSITIVE,
    Reason.ACCOUNT_FROZEN,
    Reason.DEPOSITS_DISABLED,
    Reason.LIMIT_EXCEEDED,
    Reason.INSUFFICIENT_FUNDS,
)
"""Those that may answer a deposit or a withdrawal."""


class Unreadable(StrEnum):
    """Why a record is poison: it is set aside, never skipped."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    NEWER_VERSION = "newer_version"
    MISPLACED = "misplaced"
    TOO_LARGE = "too_large"
