"""Each part away in turn: what works, what is refused and how soon, what says so, and that all comes back by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

import httpx2
import psutil
import pytest

from ops.stack.folder import RunFolder
from tests.faults.degraded import Line, judge, way, written
from tests.faults.routes import AT_ONCE, CLASSES, LEFT_OUT, Answered, People, operations
from tests.stand import process, standing, until

WITHIN_S = 2
"""For any answer, over what the same takes while nothing is away."""
TAKEN_S = 1.2
"""For a command whose outcome is not known in time, likewise."""
SOON_S = 60
MANY = 50
SERVICES = ("order", "balance", "portfolio", "market", "tape")
PROJECTORS = ("projector-live", "projector-history")
SERVERS = ("redis", "sessions", "dynamodb", "kafka")
PARTS = (*SERVERS, *(f"{server} hangs" for server in SERVERS), *PROJECTORS, *SERVICES)
NAMED: Mapping[str, tuple[str, ...]] = {
    "redis": ("live",),
    "sessions": ("sessions",),
    "dynamodb": ("users", "history"),
    "kafka": ("kafka",),
    "market": ("market",),
    "projector-live": ("live",),
    "projector-history": ("history",),
}
"""What readiness says is down, by part. The other services are nobody's that the edge asks."""

Answers = dict[str, dict[str, Answered]]
Many = dict[str, list[Answered]]


class Stacks(NamedTuple):
    """Servers, sessions and what is ours, each with a supervisor of its own, so that it can be stopped alone."""

    servers: RunFolder
    sessions: RunFolder
    ours: RunFolder

    def of(self, part: str) -> tuple[RunFolder, str]:
        """Returns in which stack the part is, and its name there."""
        if part == "sessions":
            return self.sessions, "redis"
        return (self.servers if part in SERVERS else self.ours), part


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    top = tmp_path_factory.mktemp("degraded")
    with (
        standing(top / "sessions", "redis") as sessions,
        standing(top / "servers", "kafka", "dynamodb", "redis") as servers,
        standing(
            top / "ours", sessions=sessions.endpoints()["redis"], **dict(servers.endpoints())
        ) as ours,
    ):
        yield Stacks(servers, sessions, ours)


@pytest.fixture
async def http(stacks: Stacks) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=2 * MANY)
    address = stacks.ours.endpoints()["gateway"]
    async with httpx2.AsyncClient(base_url=address, timeout=35, limits=limits) as client:
        yield client


@contextmanager
def away(stacks: Stacks, part: str) -> Iterator[None]:
    """Holds the part down: killed, and its supervisor asleep; or stopped, if it hangs."""
    folder, name = stacks.of(part.removesuffix(" hangs"))
    pid = process(folder, name).pid
    assert pid, name
    if part.endswith(" hangs"):
        held = psutil.Process(pid)
    else:
        held = psutil.Process(int((folder.path / "supervisor.pid").read_text()))
    held.suspend()
    try:
        if not part.endswith(" hangs"):
            os.kill(pid, signal.SIGKILL)
        yield
    finally:
        held.resume()


async def all_asked(people: People) -> Answers:
    """Returns how every class is answered, one request after the other."""
    return {
        kind: {name: await people.ask(name) for name in names} for kind, names in CLASSES.items()
    }


async def many_asked(people: People) -> Many:
    """Returns how one of each class is answered, many times at once."""
    return {
        kind: await asyncio.gather(*(people.ask(name) for _ in range(MANY)))
        for kind, name in AT_ONCE.items()
    }


def longest(answers: Iterable[Answered]) -> float:
    return max(answer.seconds for answer in answers)


async def is_down(http: httpx2.AsyncClient, *names: str) -> bool:
    """Returns whether readiness names just these, and the process is alive."""
    answer = await http.get("/health/ready")
    found = {name for name, state in answer.json()["components"].items() if state == "down"}
    assert answer.status_code == (503 if found else 200)
    assert (await http.get("/health")).status_code == 200
    return found == set(names)


def statuses(answers: Answers) -> dict[str, int]:
    return {name: answer.status for found in answers.values() for name, answer in found.items()}


async def goes_stale(people: People) -> bool:
    """Returns whether prices are too old to order at."""
    refusal = (await people.ask("preview_order")).body["refusal"]
    return bool(refusal) and refusal["code"] == "price_stale"


async def back(stacks: Stacks, people: People, part: str, calm: Answers) -> float:
    """Returns the seconds from the part's return until every route was answered as before."""
    folder, name = stacks.of(part.removesuffix(" hangs"))
    await until(lambda: process(folder, name).state == "running", f"{name} is back")
    returned = began = monotonic()
    while wrong := await unlike(people, calm):
        assert began - returned < SOON_S, wrong
        began = monotonic()
    return began - returned


async def unlike(people: People, calm: Answers) -> str | None:
    """Returns the first that is not answered as it was, None if all is as ever."""
    try:
        await people.log_in()
        for name, status in statuses(calm).items():
            answer = await people.ask(name)
            if answer.status != status:
                return f"{name}: {answer}"
    except (AssertionError, httpx2.HTTPError) as failure:
        return repr(failure)
    return None


def require_in_time(part: str, found: Answers, many: Many, calm: tuple[Answers, Many]) -> None:
    """Raises: AssertionError for an answer that came late, or refuses and does not say when to come again."""
    for kind, one in found.items():
        usual = longest(calm[0][kind].values())
        taken = kind == "commands" and part in SERVICES
        assert longest(one.values()) < (TAKEN_S if taken else WITHIN_S) + usual, (kind, one)
    for kind, answers in many.items():
        assert longest(answers) < WITHIN_S + longest(calm[1][kind]), kind
    each = [answer for one in found.values() for answer in one.values()]
    for answer in (*each, *(answer for answers in many.values() for answer in answers)):
        assert answer.status in (200, 201, 202, 204, 422, 503), answer
        assert answer.status != 503 or answer.retry == "1", answer


def test_every_route_is_in_a_class_and_every_part_in_the_document() -> None:
    classed = {name.partition(":")[0] for names in CLASSES.values() for name in names}
    assert classed | LEFT_OUT == operations()
    assert list(written()) == list(PARTS)


@pytest.mark.stack
@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", PARTS)
async def test_what_works_while_a_part_is_away(
    part: str, stacks: Stacks, http: httpx2.AsyncClient
) -> None:
    people = await People.made(http, stacks.servers.endpoints()["dynamodb"])
    calm = await all_asked(people), await many_asked(people)
    assert {way(status) for status in statuses(calm[0]).values()} == {"ok"}
    await until(lambda: is_down(http), "readiness is green")
    await people.log_in()
    with away(stacks, part):
        if part == "market":
            await until(lambda: goes_stale(people), "prices are stale")
        many, found = await many_asked(people), await all_asked(people)
        named = NAMED.get(part.removesuffix(" hangs"), ())
        told = await until(lambda: is_down(http, *named), f"readiness names {named}")
    seconds = await back(stacks, people, part, calm[0])
    await until(lambda: is_down(http), "readiness is green")
    done = await until(people.has_all, "all that was taken is done")
    print(
        f"{part}: named {told:.1f} s after the last answer, all done {done:.1f} s after its return"
    )
    slowest = max(longest(answers) for answers in many.values())
    judge(Line(part, found, named, slowest, seconds), PARTS)
    require_in_time(part, found, many, calm)
