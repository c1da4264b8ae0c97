"""The tape service's wiring: what it reads, follows and writes. The shell does the rest."""

from events.topics import ORDER_EVENTS, TRADE_EVENTS
from infra.process.service import program
from infra.shell.service import Service

from .domain import FOLDS, decide

SERVICE = Service(
    name="tape",
    reads=(ORDER_EVENTS,),
    writes=TRADE_EVENTS,
    folds=FOLDS,
    decide=decide,
)


main = program(SERVICE)
