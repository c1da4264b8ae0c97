"""The clock that never waits."""

import asyncio
import time

from infra.log.clock import SystemClock, VirtualClock


async def test_time_jumps_to_whoever_waits_next_in_the_order_of_asking() -> None:
    clock, seen = VirtualClock(now_ms=0), list[tuple[str, int]]()

    async def sleeper(name: str, *pauses: int) -> None:
        for pause in pauses:
            await clock.sleep(pause)
            seen.append((name, clock.now_ms()))

    begun = time.monotonic()
    await asyncio.gather(sleeper("a", 1_000, 1), sleeper("b", 1_000), sleeper("c", 5, 86_400_000))

    assert seen == [("c", 5), ("a", 1_000), ("b", 1_000), ("a", 1_001), ("c", 86_400_005)]
    assert time.monotonic() - begun < 1


async def test_time_goes_on_only_for_somebody() -> None:
    clock = VirtualClock(now_ms=0, driven=True)
    assert not clock.advance()
    waiting = asyncio.create_task(clock.sleep(7))
    await asyncio.sleep(0)
    assert clock.advance()
    await waiting
    assert clock.now_ms() == 7
    assert not clock.advance()


async def test_time_stands_still_while_anything_runs() -> None:
    clock = VirtualClock(now_ms=0)

    async def busy() -> int:
        for _ in range(1_000):
            await asyncio.sleep(0)
        return clock.now_ms()

    _, now = await asyncio.gather(clock.sleep(10), busy())
    assert now == 0
    assert clock.now_ms() == 10


async def test_who_is_woken_early_moves_no_time() -> None:
    for clock in (VirtualClock(), SystemClock()):
        woken = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(clock.until(woken, 60_000))
        begun = clock.now_ms()
        await asyncio.sleep(0)
        woken.set_result(None)
        await waiting
        assert clock.now_ms() - begun < 1_000
        late = asyncio.get_running_loop().create_future()
        await clock.until(late, 5)
        assert late.done()


async def test_a_clock_that_nobody_waits_for_any_more_lets_another_go_on() -> None:
    for _ in range(3):
        clock, woken = VirtualClock(), asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(clock.until(woken, 60_000))
        await clock.sleep(1)
        woken.set_result(None)
        await waiting
        await clock.sleep(1_000)


async def test_whoever_waited_through_a_jump_goes_on_at_once() -> None:
    clock = VirtualClock(now_ms=0)
    first, second = (asyncio.ensure_future(clock.sleep(ms)) for ms in (10, 2_000))
    await asyncio.sleep(0)
    clock.jump(1_000)
    await first
    assert clock.now_ms() == 1_000
    await second
    assert clock.now_ms() == 2_000
