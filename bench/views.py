"""How far the views of a stack are. A view that lags works on beside whatever is measured next."""

import asyncio
from collections.abc import Mapping

from gateway.building import Offsets, ends_of
from infra.log.kafka import KafkaLog
from infra.views.port import Generation
from ops.replay import VIEWS, checkpoints, settings_of

WITHIN_S = 900
PAUSE_S = 0.5


async def caught_up(name: str, endpoints: Mapping[str, str]) -> None:
    """Returns once the serving view has folded all that stands in its topics now."""
    settings = settings_of(endpoints)
    log = KafkaLog(settings.kafka)
    async with asyncio.timeout(WITHIN_S), VIEWS[name](settings) as view:
        serving = await view.generations.open(await view.generations.serving())
        ends = await ends_of(log, tuple(await checkpoints(serving)))
        while await is_behind(serving, ends):  # noqa: ASYNC110 - of another process no event tells
            await asyncio.sleep(PAUSE_S)
    await log.stop()


async def is_behind(generation: Generation, ends: Offsets) -> bool:
    """Returns whether something that stands before these ends is not folded yet."""
    folded = await checkpoints(generation)
    return any(folded[source] < end for source, end in ends.items())
