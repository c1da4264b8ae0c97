"""/orders/preview: what an order would come to; nothing is published."""

from functools import partial

from pydantic import BaseModel

from events.balance import FundsRefused
from events.money import Side
from events.order import PlaceOrder
from events.portfolio import AssetsRefused
from events.reasons import Reason
from gateway.as_of import AsOfView, shown
from gateway.asking import envelope, fingerprint
from gateway.decimals import USD_SCALE, from_minor, usd
from gateway.deps import RequestId
from gateway.preview import Known, Preview, preview
from gateway.problems import PROBLEMS, refusals
from gateway.projections.accounts import ACCOUNT as FROZEN
from gateway.projections.accounts import ONLY
from gateway.projections.positions import POSITION
from gateway.reading import Reads
from gateway.route import resource
from gateway.routes.balance import ACCOUNT, FUNDS, needed
from gateway.routes.orders import OrderBody, decimal, placing, scales, too_much
from infra.views.port import AsOf, One

router = resource("orders")
TARGET = "preview"


class RefusalView(BaseModel):
    """code: that a problem would have."""

    code: str
    detail: str


class PreviewView(BaseModel):
    """What the order would come to if it were filled at this moment.

    price: the reference; quantity, cost, fee: the fill's, null if there would be none; hold: what it needs, of
    hold_asset, null if it would not be accepted. The price may move before the order comes: by up to 2 % it is still
    filled, and costs no more than its hold.
    """

    asset_id: str
    side: Side
    price: str | None
    quantity: str | None
    cost: str | None
    fee: str | None
    hold: str | None
    hold_asset: str
    refusal: RefusalView | None
    as_of: AsOfView
    prices_as_of: AsOfView


@router.post("/preview", responses=refusals(Reason.ASSET_UNKNOWN))
async def preview_order(body: OrderBody, reads: Reads, request_id: RequestId) -> PreviewView:
    """Returns cost, fee and hold of such an order, or why it would be refused: decided by what decides orders.

    Raises: Refused as a POST of the order itself is without being published.
    """
    parts, account_id = reads.parts, reads.account.id
    now = parts.now()
    asked = envelope(account_id, now, request_id, fingerprint(TARGET, body))
    command = placing(body, asked, parts.catalogue, parts.limits[reads.account.role])
    as_of, account, money, position = await reads.view.read(
        account_id, One(FROZEN, ONLY), FUNDS, One(POSITION, body.asset_id)
    )
    found = preview(command, parts.catalogue.market, now, Known(account, money, position))
    scale, price_scale = scales(body.asset_id, parts.catalogue)
    return view(command, found, (scale, price_scale), (as_of, parts.catalogue.as_of))


def view(
    command: PlaceOrder, found: Preview, digits: tuple[int, int], moments: tuple[AsOf, AsOf]
) -> PreviewView:
    """Returns the preview. digits: behind the point of a quantity and of a price; moments: of account and prices."""
    accepted, fill, (scale, price_scale) = found.accepted, found.fill, digits
    of_hold = USD_SCALE if command.side == "buy" else scale
    account, prices = map(shown, moments)
    return PreviewView(
        asset_id=command.asset_id,
        side=command.side,
        price=decimal(accepted.price if accepted else None, price_scale),
        quantity=decimal(fill.quantity if fill else None, scale),
        cost=usd(fill.cost) if fill else None,
        fee=usd(fill.fee) if fill else None,
        hold=decimal(accepted.hold if accepted else None, of_hold),
        hold_asset=ACCOUNT if command.side == "buy" else command.asset_id,
        refusal=refusal(command, found, of_hold),
        as_of=account,
        prices_as_of=prices,
    )


def refusal(command: PlaceOrder, found: Preview, of_hold: int) -> RefusalView | None:
    if found.refusal is None:
        return None
    code, short, spell = found.refusal.reason, found.short, partial(from_minor, scale=of_hold)
    match short:
        case FundsRefused():
            detail = needed(short.amount, short.available, spell)
        case AssetsRefused():
            detail = needed(short.quantity, short.available, spell)
        case _:
            detail = too_much(command, code) or PROBLEMS[code][1]
    return RefusalView(code=code, detail=detail)
