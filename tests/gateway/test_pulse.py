"""What falls silent is named, and what only waits for it is not."""

from collections.abc import Mapping

import pytest

from events.topics import BALANCE_COMMANDS, PRICES
from gateway.catalogue import Catalogue
from gateway.pulse import LATE, Chase, Pulse, Shown
from infra.unavailable import Unavailable
from infra.views.port import View
from tests.gateway.conftest import Clock, Twins
from tests.messages.balances import deposit
from tests.messages.markets import BTC

SECOND = 1_000


class Watched:
    """A pulse that is felt each second of a minute, while the market tells its prices."""

    def __init__(self, twins: Twins) -> None:
        self.backstage, self.clock = twins.backstage, twins.clock
        self.catalogue = Catalogue(View(self.backstage.live))
        shown = Shown(self.backstage.live, self.backstage.history, self.catalogue)
        self.pulse = Pulse(shown, self.end, self.clock)
        self.log_away = False

    async def end(self) -> int:
        if self.log_away:
            raise Unavailable("kafka")
        return len(self.backstage.log[PRICES.name])

    async def pass_time(self, ms: int, *, ticks: bool = True) -> Mapping[str, bool]:
        """Returns of each component whether it was as it should be, at the end."""
        found: dict[str, bool] = {}
        for _ in range(0, ms, SECOND):
            self.clock.ms += SECOND
            if ticks:
                self.backstage.tick(BTC=BTC.listing_price)
                await self.backstage.fold()
            if not self.backstage.live.away:
                await self.catalogue.look()
            for name, ask in self.pulse.components().items():
                try:
                    await ask()
                except Unavailable:
                    found[name] = False
                else:
                    found[name] = True
        return found


@pytest.fixture
async def watched(twins: Twins) -> Watched:
    await twins.backstage.open()
    watched = Watched(twins)
    assert all((await watched.pass_time(2 * LATE)).values())
    return watched


def down(found: Mapping[str, bool]) -> list[str]:
    return [name for name, up in found.items() if not up]


async def test_a_market_that_tells_no_price_is_named(watched: Watched) -> None:
    assert down(await watched.pass_time(LATE - SECOND, ticks=False)) == []
    assert down(await watched.pass_time(2 * SECOND, ticks=False)) == ["market"]
    assert down(await watched.pass_time(SECOND)) == []


async def test_a_live_view_that_is_told_nothing_is_named_and_not_the_market(
    watched: Watched,
) -> None:
    watched.backstage.live.late = True
    assert down(await watched.pass_time(LATE - SECOND)) == []
    assert down(await watched.pass_time(3 * SECOND)) == ["live"]
    watched.backstage.live.late = False
    assert down(await watched.pass_time(SECOND)) == []


async def test_while_the_log_is_away_nobody_else_is_named(watched: Watched) -> None:
    watched.log_away = True
    assert down(await watched.pass_time(3 * LATE, ticks=False)) == ["kafka"]
    watched.log_away = False
    assert down(await watched.pass_time(SECOND, ticks=False)) == []


async def test_while_the_live_view_is_away_nobody_else_is_named(watched: Watched) -> None:
    watched.backstage.live.away = True
    assert down(await watched.pass_time(3 * LATE)) == ["live"]


async def test_a_history_that_lacks_what_the_live_view_shows_is_named(watched: Watched) -> None:
    watched.backstage.history.late = True
    assert down(await watched.pass_time(3 * LATE)) == []  # there is nothing new
    await watched.backstage.publish(BALANCE_COMMANDS, deposit(1, at=watched.clock.ms))
    await watched.backstage.settle()
    await watched.pass_time(SECOND)
    assert down(await watched.pass_time(LATE)) == ["history"]
    watched.backstage.history.late = False
    assert down(await watched.pass_time(SECOND)) == []


async def test_who_is_never_quite_there_but_always_comes_keeps_up(clock: Clock) -> None:
    chase = Chase(clock)
    for n in range(100):
        clock.ms += SECOND
        assert chase.keeps_up({"t": n}, {"t": n + 5})
