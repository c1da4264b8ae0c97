"""What people say of themselves, checked and in one spelling; and what may be seen of a user."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import PydanticCustomError

from infra.stores.users import Role, User

from .common_passwords import too_common
from .problems import Fault, Refused
from .times import Timestamp


def plain(text: str) -> str:
    """Returns text without control or direction characters as it is. Raises: ValueError."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return text


def one_spelling(email: str) -> str:
    """Returns an e-mail address in Unicode's composed form with its domain in lower case."""
    local, _, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local}@{domain.lower()}"


BLANK = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""Controls and spaces, written out: what a pattern's `\\s` means depends on who reads it."""
Username = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.-]{3,32}$", examples=["ada"]), AfterValidator(str.lower)
]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=rf'^[^{BLANK}@<>()\[\],;:"\\]{{1,64}}@([A-Za-z0-9-]{{1,63}}\.)+[A-Za-z0-9-]{{2,63}}$',
        examples=["ada@example.org"],
    ),
    AfterValidator(plain),
    AfterValidator(one_spelling),
]
PersonName = Annotated[
    str, Field(min_length=1, max_length=64, examples=["Ada"]), AfterValidator(plain)
]
NewPassword = Annotated[
    SecretStr, Field(min_length=8, max_length=128, examples=["correct horse battery"])
]
"""Any characters, taken exactly as sent; its length counts code points."""
Password = Annotated[SecretStr, Field(max_length=128, examples=["correct horse battery"])]


class UserView(BaseModel):
    id: str
    username: str
    email: str
    first_name: str | None
    last_name: str | None
    role: Role
    created_at: Timestamp


def view(user: User) -> UserView:
    """Returns what may be seen of a user: never the hash."""
    return UserView(
        id=user.account_id,
        username=user.username,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=user.role,
        created_at=user.created_at,
    )


def require_uncommon(password: str, username: str) -> None:
    """Raises: Refused with password_too_common."""
    if too_common(password, username):
        fault = Fault(pointer="#/password", code="password_too_common", message="Choose another")
        raise Refused("password_too_common", errors=[fault])
