"""One resource a path: what is written out is not what a template may stand for, and says all of its methods."""

import re
from collections.abc import Sequence
from itertools import chain

from .route import EdgeRoute


def settle(routes: Sequence[EdgeRoute]) -> None:
    """Has each route match what is its own alone, as OpenAPI has it, and know what its path allows.

    /orders/preview is no order of that name: a GET of it is a 405, not an order id that is none.
    """
    literal = {route.path for route in routes if not route.param_convertors}
    for route in routes:
        taken = sorted(path for path in literal - {route.path} if route.path_regex.match(path))
        if taken:
            others = "|".join(map(re.escape, taken))
            route.path_regex = re.compile(rf"(?!(?:{others})\Z){route.path_regex.pattern}")
        same = (each.methods or () for each in routes if each.path == route.path)
        route.allowed = ", ".join(sorted(set(chain.from_iterable(same))))
