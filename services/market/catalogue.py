"""The assets of the market, as catalogue.json lists them (make_catalogue.py makes it)."""

import json
from importlib.resources import files

from events.market import AssetListed


def catalogue() -> tuple[AssetListed, ...]:
    """Returns every asset, tradable and yet unstamped."""
    lines = json.loads(files("services.market").joinpath("catalogue.json").read_bytes())
    return tuple(AssetListed(id="", occurred_at=0, tradable=True, **line) for line in lines)
