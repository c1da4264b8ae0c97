"""How far the views of a stack are. A view that lags works on beside whatever is measured next."""

import asyncio
from collections.abc import Mapping

from gateway.building import Offsets, ends_of
from infra.log.kafka import KafkaLog
from infra.views.port import Generation
from ops.replay import VIEWS, checkpoints, settings_of

WITHIN_S = 900
PAUSE_S = 0.5


async def caught_up(name: str, endpoints: Mapping[str, str]) -> int:
    """Returns, once the serving view has folded all that stands in its topics now, how many offsets it lacked."""
    settings = settings_of(endpoints)
    log = KafkaLog(settings.kafka)
    async with asyncio.timeout(WITHIN_S), VIEWS[name](settings) as view:
        serving = await view.generations.open(await view.generations.serving())
        ends = await ends_of(log, tuple(await checkpoints(serving)))
        lacking = left = await behind(serving, ends)
        while left:
            await asyncio.sleep(PAUSE_S)
            left = await behind(serving, ends)
    await log.stop()
    return lacking


async def behind(generation: Generation, ends: Offsets) -> int:
    """Returns how many offsets before these ends are not folded yet."""
    folded = await checkpoints(generation)
    return sum(max(0, end - folded[source]) for source, end in ends.items())
