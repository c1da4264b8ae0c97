"""The twin is honest: the same history, told by it and by Kafka, is the same to the last offset."""

import pytest

from tests.contracts.histories import history, told
from tests.contracts.log_worlds import KafkaWorld, MemoryWorld

HISTORIES = 60
CHUNKS = 4


@pytest.mark.stack
@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_history_is_the_same_on_kafka_and_its_twin(chunk: int, kafka: str) -> None:
    for seed in range(chunk, HISTORIES, CHUNKS):
        steps, world = history(seed), KafkaWorld(kafka)
        try:
            assert await told(world, steps) == await told(MemoryWorld(), steps), (seed, steps)
        finally:
            await world.close()


async def test_histories_have_all_that_may_happen() -> None:
    kinds = {step.kind for seed in range(HISTORIES) for step in history(seed)}
    ends = {
        one
        for seed in range(HISTORIES)
        for one in await told(MemoryWorld(), history(seed))
        if isinstance(one, str)
    }
    assert len(kinds) == 6
    assert ends == {"Fenced", "Lost", "nobody"}
