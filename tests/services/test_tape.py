"""What the world hears of a fill."""

from events.trade import TradeExecuted
from services.tape.domain import FOLDS, decide
from tests.messages.envelope import NOW, stamped
from tests.messages.orders import accepted, canceled, filled, place
from tests.spec import Spec

tape = Spec(decide, FOLDS)

BUY = place("buy", quantity=1_000_000)
FILLED = stamped(filled(BUY, 1_000_000, cost=60_000, fee=60), at=NOW + 1)
TRADED = TradeExecuted(
    account_id=BUY.account_id,
    trade_id=FILLED.id,
    order_id=BUY.id,
    asset_id="BTC",
    side="buy",
    fill=1,
    quantity=1_000_000,
    scale=8,
    price=6_000_000,
    price_scale=2,
    cost=60_000,
    fee=60,
    executed_at=NOW + 1,
)


def test_a_fill_is_a_trade() -> None:
    assert tape.given().when(FILLED) == [TRADED]


def test_nothing_else_is() -> None:
    assert tape.given().when(accepted(BUY, hold=1)) == []
    assert tape.given().when(canceled(BUY, "x")) == []
