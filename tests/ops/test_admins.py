"""The first admin, made by an operator on a store without users."""

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from gateway.auth import Passwords
from infra.stores.dynamodb import connect
from infra.stores.users import DynamoUsers, ensure_tables
from ops.admins import created
from ops.cli import app

pytestmark = pytest.mark.stack


async def test_an_admin_is_made_once_with_a_password_of_his_own(dynamodb: str) -> None:
    async with connect(dynamodb) as client:
        await ensure_tables(client)
        password = await created(dynamodb, "Root", "root@example.org")
        user = await DynamoUsers(client).by_name("root")
    assert user
    assert user.role == "admin"
    assert (await Passwords().check(password, user.password_hash)).right
    with pytest.raises(LookupError, match="username_taken"):
        await created(dynamodb, "root", "other@example.org")
    with pytest.raises(ValidationError, match="username"):
        await created(dynamodb, "no one", "other@example.org")


def test_what_can_t_be_is_said_by_name(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_DYNAMODB", dynamodb)
    ran = CliRunner().invoke(app, ["create-admin", "me", "me@example.org"])
    assert ran.exit_code == 1
    assert "username: String should match pattern" in ran.output
