"""A short history killed at each point where a service touches the log: once, or once more in the life after it."""

from collections.abc import Iterator

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS
from tests.messages import balances, orders
from tests.simulation.case import Case, Crash
from tests.simulation.run import simulate
from tests.simulation.weather import CALM
from tests.simulation.workload import Sending

LENGTH_MS = 1_500
SECOND_POINTS = 36
"""A call has three crash points: before it is sent, under way, answered. So the second crash strikes within the first
12 calls of the life after the first.
"""


def history() -> Case:
    """Returns a deposit, a buy that is sent twice and a sale, in a run in which nothing goes wrong."""
    buy = orders.place("buy", quantity=100_000, n=1)
    sell = orders.place("sell", quantity=60_000, n=2)
    sendings = (
        Sending(0, BALANCE_COMMANDS, balances.deposit(10**6)),
        Sending(100, ORDER_COMMANDS, buy),
        Sending(300, ORDER_COMMANDS, buy),
        Sending(600, ORDER_COMMANDS, sell),
    )
    return Case(0, CALM, LENGTH_MS, sendings, (), crashes=())


def singles() -> Iterator[Case]:
    """Yields the history with each single crash: every point of every service's first life."""
    calm = history()
    for (process, life), points in simulate(calm).points.items():
        for point in range(1, points + 1) if life == 1 else ():
            yield calm._replace(crashes=(Crash(process, 1, point),))


def pairs() -> Iterator[Case]:
    """Yields each single crash with a second one of the same service's next life, while that takes over."""
    for case in singles():
        (first,) = case.crashes or ()
        for point in range(1, SECOND_POINTS + 1):
            yield case._replace(crashes=(first, Crash(first.process, 2, point)))
