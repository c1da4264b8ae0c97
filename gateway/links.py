"""What an answer leads to: the links of the document (OpenAPI 3.1), by operation and status."""

from collections.abc import Mapping
from typing import Any

Links = Mapping[str, Any]


def of(parameter: str, *operations: str) -> Links:
    """Returns links to operations that take the answer's `id` as a parameter."""
    return {
        operation: {"operationId": operation, "parameters": {parameter: "$response.body#/id"}}
        for operation in operations
    }


OF_USER = of("account_id", "one_user", "freeze", "unfreeze", "set_role", "audit_trail")
OF_ORDER = of("order_id", "one_order", "order_timeline")
LINKS: Mapping[tuple[str, str], Links] = {
    ("register", "201"): OF_USER,
    ("login", "200"): {
        "refresh": {
            "operationId": "refresh",
            "requestBody": {"refresh_token": "$response.body#/refresh_token"},
        }
    },
    ("place_order", "201"): OF_ORDER,
    ("place_order", "202"): OF_ORDER,
}
