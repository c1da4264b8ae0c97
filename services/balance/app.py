"""The balance service's wiring: what it reads, follows and writes. The shell does the rest."""

from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS, ORDER_EVENTS
from infra.process.service import program
from infra.shell.service import Service

from .domain import FOLDS, decide, refuse

SERVICE = Service(
    name="balance",
    reads=(BALANCE_COMMANDS, ORDER_EVENTS),
    writes=BALANCE_EVENTS,
    folds=FOLDS,
    decide=decide,
    refuse=refuse,
)


main = program(SERVICE)
