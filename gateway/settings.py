"""What a gateway is told."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from infra.process.settings import Port, ViewSettings

from .address import Network
from .limits import LimitSettings
from .rates import Rates, rates_of

Host = Annotated[str, Field(pattern=r"^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$")]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class GatewaySettings(ViewSettings, LimitSettings):
    """sessions: the URL of the sessions' Redis. gateway_port: where clients come in, on the host that its admin
    server has too. run_dir: the tokens' keys are the PEM files of its folder `keys`, the last by name signs.
    cursor_key: signs cursors. Every gateway of a cluster has the same keys. rates: those that differ from the
    environment's, see rates.py; trusted_proxies: networks of proxies before the edge, whose word on whence a request
    comes counts; origins: of browsers' pages, beside the edge's own, that may use cookies; hosts: by which clients may
    call the edge, without ports: any other Host is refused.
    """

    sessions: str = "redis://127.0.0.1:6379/1"
    gateway_port: Port = 8080
    run_dir: Path = Path(".run")
    cursor_key: SecretStr = SecretStr("a development key for cursors")
    rates: dict[str, str] = Field(default_factory=dict)
    trusted_proxies: tuple[Network, ...] = ()
    origins: frozenset[str] = frozenset()
    hosts: frozenset[Host] = LOOPBACK

    @model_validator(mode="after")
    def keep_rates(self) -> Self:
        """Returns the settings. Raises: ValueError for a rate that there isn't, or that can't be read."""
        Rates(rates_of(self.env, self.rates))
        return self
