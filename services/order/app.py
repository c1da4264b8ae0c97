"""The order service's wiring: what it reads, follows and writes. The shell does the rest."""

from events.topics import (
    ASSETS,
    BALANCE_EVENTS,
    ORDER_COMMANDS,
    ORDER_EVENTS,
    PORTFOLIO_EVENTS,
    PRICES,
)
from infra.process.service import program
from infra.shell.service import Service

from .domain import FOLDS, decide, refuse

SERVICE = Service(
    name="order",
    reads=(ORDER_COMMANDS, BALANCE_EVENTS, PORTFOLIO_EVENTS),
    follows=(ASSETS, PRICES),
    writes=ORDER_EVENTS,
    folds=FOLDS,
    decide=decide,
    refuse=refuse,
)


main = program(SERVICE)
