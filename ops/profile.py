"""`orderstream trade profile`, `password` and `sessions`: what a customer sees and changes of himself."""

from typing import TYPE_CHECKING, Annotated

import typer

from ops.as_customer import AsJson, At, Password, Where, listed, run, told
from ops.where import HERE, RunDir

if TYPE_CHECKING:
    from ops.client.client import Changes, Client, Me

PersonName = Annotated[str | None, typer.Option(help='Empty ("") to have none.')]


def profile(
    *,
    email: str | None = None,
    first_name: PersonName = None,
    last_name: PersonName = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show who you are, after the changes that are asked for."""
    changes: Changes = {}
    if email is not None:
        changes["email"] = email
    if first_name is not None:
        changes["first_name"] = first_name or None
    if last_name is not None:
        changes["last_name"] = last_name or None

    async def act(client: "Client") -> "Me":
        me = await client.me()
        return await client.change_profile(me, **changes) if changes else me

    told(run(act, Where(run_dir, at, as_json)), as_json)


def password(
    current: Password,
    new: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            envvar="ORDERSTREAM_NEW_PASSWORD",
            help="Asked for if not given.",
        ),
    ],
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Change the password, which ends your other sessions."""
    run(lambda client: client.change_password(current, new), Where(run_dir, at, as_json))


def sessions(
    end: Annotated[str | None, typer.Option(help="End this one: log out there.")] = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show where you are logged in."""
    where = Where(run_dir, at, as_json)
    if end is not None:
        run(lambda client: client.end_session(end), where)
        return
    found = run(lambda client: client.sessions(), where).items
    listed(found, ("id", "current", "created_at", "last_seen", "address", "user_agent"), as_json)
