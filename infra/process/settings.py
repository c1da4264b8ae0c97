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

Port = Annotated[int, Field(ge=0, lt=2**16)]  # 0: any free one


class Settings(BaseSettings):
    """What a process is told. A process with more to be told extends this class.

    kafka: host:port of some brokers, with commas. dynamodb, redis (the live view), sessions: URLs.
    partition_count: of every account topic. partitions: those that this process owns; all, if none
    is named. crash: where a test's process kills itself.
    """

    model_config = SettingsConfigDict(env_prefix="ORDERSTREAM_", frozen=True, extra="ignore")

    env: Literal["development", "test", "production"] = "development"
    process: str = "orderstream"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    run_dir: Path = Path(".run")
    kafka: str = "127.0.0.1:9092"
    dynamodb: str = "http://127.0.0.1:8000"
    redis: str = "redis://127.0.0.1:6379/0"
    sessions: str = "redis://127.0.0.1:6379/1"
    host: str = "127.0.0.1"  # what servers of this process listen on
    gateway_port: Port = 8080
    admin_port: Port = 0
    partition_count: int = Field(default=2, ge=1, le=1_000)
    partitions: Annotated[tuple[int, ...], NoDecode] = ()
    crash: Annotated[Crash | None, NoDecode] = None

    @field_validator("partitions", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Returns the numbers of "0,1"."""
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

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
    def own_what_exists(self) -> Self:
        """Returns the settings, with the owned partitions named. Raises: ValueError."""
        if beyond := [p for p in self.partitions if not 0 <= p < self.partition_count]:
            raise ValueError(f"partitions {beyond}: there are {self.partition_count}, from 0")
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

    @property
    def owned(self) -> tuple[int, ...]:
        """Returns the partitions that this process owns, in order."""
        return tuple(sorted(set(self.partitions))) or tuple(range(self.partition_count))


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
