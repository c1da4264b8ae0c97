"""What a path allows, and which of two paths a request means."""

import httpx2
import pytest

from tests.gateway.routes.conftest import refusal

BASE = "/api/v1"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", "GET, POST"),
        ("GET", "/orders/preview", "POST"),
        ("OPTIONS", "/orders/preview", "POST"),
        ("POST", "/orders/no-uuid", "GET"),
        ("PUT", "/assets/balances", "GET"),
        ("TRACE", "/auth/login", "POST"),
    ],
)
async def test_a_path_says_all_its_methods_and_no_other_s(
    client: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, BASE + path)
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


async def test_what_only_begins_as_a_written_path_is_the_template_s(
    client: httpx2.AsyncClient,
) -> None:
    for path in ("/orders/previews", "/orders/preview%0A", "/orders/preview/timeline"):
        assert refusal(await client.get(BASE + path)) == (401, "authentication_required")
