"""An empty view, in any store."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from infra.views import history, live
from infra.views.memory import MemoryStore
from infra.views.port import Store
from tests.contracts.view_rows import INPUTS, P


@pytest.fixture
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Returns a store in which nothing was written yet, as the parameter names it."""
    name = f"test{uuid4().hex[:12]}"
    match request.param:
        case "live":
            async with live.connect(f"{request.getfixturevalue('redis')}/2") as client:
                yield live.LiveStore(client, INPUTS, P, name)
        case "history":
            async with history.connect(request.getfixturevalue("dynamodb")) as dynamodb:
                await history.ensure_tables(dynamodb, name)
                yield history.HistoryStore(dynamodb, INPUTS, P, name)
        case kind:
            yield MemoryStore(INPUTS, P, keeps_all=kind == "memory history")
