"""The settings that every process has, from environment variables, with working local defaults."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from infra.crash import Crash

MISCONFIGURED = 78  # exit code, EX_CONFIG of sysexits.h
SECRET_LENGTH = 32  # characters, at least

SECRETS = Path("/run/secrets/orderstream")  # where containers are given what nobody else may read

Port = Annotated[int, Field(ge=0, lt=2**16)]  # 0: any free one


class Settings(BaseSettings):
    """What a process is told. A process with more to be told extends this class.

    kafka: host:port of some brokers, with commas. host, admin_port: where the admin server listens.
    partition_count: of every account topic. crash: where a test's process kills itself.

    Each is an environment variable, or a file in SECRETS named like that variable in lower case.
    """

    model_config = SettingsConfigDict(
        env_prefix="ORDERSTREAM_",
        frozen=True,
        extra="ignore",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    env: Literal["development", "test", "production"] = "development"
    process: str = "orderstream"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    kafka: str = "127.0.0.1:9092"
    host: str = "127.0.0.1"  # what servers of this process listen on
    admin_port: Port = 0
    partition_count: int = Field(default=2, ge=1, le=1_000)
    crash: Annotated[Crash | None, NoDecode] = None

    @field_validator("crash", mode="before")
    @classmethod
    def parse(cls, value: Any) -> Any:
        """Returns the crash of "POINT:N". Raises: ValueError if it is none."""
        return Crash.parse(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def crash_in_tests_alone(self) -> Self:
        """Returns the settings. Raises: ValueError if a process that is no test's shall crash."""
        if self.crash and self.env != "test":
            raise ValueError(f"ORDERSTREAM_CRASH is for ORDERSTREAM_ENV=test, this is {self.env}")
        return self

    @model_validator(mode="after")
    def keep_production_safe(self) -> Self:
        """Returns the settings. Raises: PydanticCustomError if production has a known secret."""
        if self.env == "production":
            for name, field in type(self).model_fields.items():
                secret = getattr(self, name)
                if isinstance(secret, SecretStr) and is_weak(secret, field.default):
                    raise PydanticCustomError(
                        "weak_secret",
                        "{variable} must be a secret of its own in production",
                        {"variable": f"ORDERSTREAM_{name.upper()}"},
                    )
        return self


class LiveSettings(Settings):
    """redis: the URL of the live view."""

    redis: str = "redis://127.0.0.1:6379/0"


class HistorySettings(Settings):
    """dynamodb: the URL of the history and the users."""

    dynamodb: str = "http://127.0.0.1:8000"


class ViewSettings(LiveSettings, HistorySettings):
    """Where both views are."""


def is_weak(secret: SecretStr, default: Any) -> bool:
    """Returns whether others may know or guess the secret."""
    value = secret.get_secret_value()
    return secret == default or len(value) < SECRET_LENGTH or "dev" in value.lower()


S = TypeVar("S", bound=Settings)


def load(kind: type[S]) -> S:
    """Returns the settings of this process. Ends it with 78 if they can't be used.

    It then says which variables are wrong and why, never what they hold.
    """
    try:
        return kind()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            where = "_".join(str(part) for part in problem["loc"]).upper()
            prefix = f"ORDERSTREAM_{where}: " if where else ""
            print(f"{prefix}{problem['msg']}", file=sys.stderr)  # noqa: T201 - no log is set up yet
        raise SystemExit(MISCONFIGURED) from None
