"""The first admin: no account ships, so an operator makes one, with a password that is shown once."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import secrets
import sys
from typing import Annotated

import typer

from ops.where import HERE, RunDir, endpoint

PASSWORD_BYTES = 18
TAKEN = {"username_taken": "the user name is taken", "email_taken": "the e-mail address is taken"}


def create_admin(
    username: Annotated[str, typer.Argument(help="3 to 32 of a-z, 0-9, _ . and -")],
    email: str,
    run_dir: RunDir = HERE,
) -> None:
    """Make a user who is an admin, and show his password, this once. He changes it at POST /auth/password."""
    import asyncio

    from pydantic import ValidationError

    from infra.unavailable import Unavailable

    try:
        password = asyncio.run(created(endpoint("dynamodb", run_dir), username, email))
    except ValidationError as error:
        [first, *_] = error.errors()
        sys.exit(f"{first['loc'][0]}: {first['msg']}")
    except (LookupError, Unavailable) as error:
        sys.exit(TAKEN.get(str(error), f"{error} does not answer"))
    print(password)


async def created(dynamodb: str, username: str, email: str) -> str:
    """Returns the password of the new admin. Raises: ValidationError; LookupError with the name that is taken;
    Unavailable.
    """
    from uuid_utils import uuid7

    from events.user import UserRegistered
    from gateway.audit import event, unpublished
    from gateway.auth import Passwords
    from gateway.routes.auth import Registration
    from gateway.times import now
    from infra.stores.dynamodb import connect
    from infra.stores.users import DynamoUsers, User

    password = secrets.token_urlsafe(PASSWORD_BYTES)
    asked = Registration.model_validate(
        {"username": username, "email": email, "password": password}
    )
    account_id, moment, passwords = str(uuid7()), now(), Passwords()
    user = User(
        account_id=account_id,
        username=asked.username,
        email=asked.email,
        password_hash=await passwords.hash(password),
        created_at=moment,
        role="admin",
    )
    told = event(UserRegistered, account_id, moment, "create-admin")
    async with connect(dynamodb) as client:
        if taken := await DynamoUsers(client).register(user, unpublished(told)):
            raise LookupError(taken)
    return password
