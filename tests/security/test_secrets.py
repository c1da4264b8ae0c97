"""How secrets are made and compared: rows 9 and 23 of the security table."""

import ast
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.logins import SECRET_BYTES, new_secret
from infra.stores.sessions import ID_BYTES, new_id

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"(?i)token|secret|hash|signature|digest|password|(^|_)mac($|_)|cursor")
HARMLESS = {"__hash__"}
IDS = 10_000


def compared(source: str) -> Iterator[int]:
    """Yields the lines where a secret, by its name, is compared as if it were none. With nothing there it is None."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        slow = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
        sides = [node.left, *node.comparators]
        if any(isinstance(op, slow) for op in node.ops) and any(map(is_secret, sides)):
            yield node.lineno


def is_secret(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
            return bool(SECRET.search(name)) and name not in HARMLESS
        case ast.Call(func=ast.Attribute(attr=name)):
            return bool(SECRET.search(name))
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return bool(SECRET.search(name))
    return False


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gateway").rglob("*.py")), ids=lambda path: path.relative_to(ROOT)
)
def test_s23_no_secret_is_compared_byte_by_byte(path: Path) -> None:
    assert not list(compared(path.read_text()))


@pytest.mark.parametrize(
    "planted",
    [
        "token == given",
        "given != user.password_hash",
        "digest(secret) == stored",
        "row['signature'] == made",
        "given.hexdigest() == stored",
        "mac == made",
        "given in tokens",
    ],
)
def test_s23_one_that_is_would_be_found(planted: str) -> None:
    assert list(compared(planted)) == [1]
    assert not list(compared("token is None or hmac.compare_digest(token, given)"))


@pytest.mark.parametrize(("make", "size"), [(new_id, ID_BYTES), (new_secret, SECRET_BYTES)])
def test_s09_ids_and_tokens_of_sessions_can_t_be_guessed(
    make: Callable[[], str], size: int
) -> None:
    made = [make() for _ in range(IDS)]
    assert size >= 16
    assert {len(urlsafe_b64decode(each + "==")) for each in made} == {size}
    assert len(set(made)) == IDS
    assert len({each[0] for each in made}) == 64  # each may begin with anything
