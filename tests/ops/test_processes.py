"""The table of processes, and what each is told."""

from pathlib import Path

import pytest

from ops.stack.endpoints import endpoints, environ, given
from ops.stack.folder import RunFolder
from ops.stack.processes import ENTRIES, TABLE, outlived, planned

NAMES = [row.name for row in TABLE]


def test_a_row_stands_after_all_that_it_needs_or_uses() -> None:
    for place, row in enumerate(TABLE):
        assert {*row.needs, *row.uses} <= set(NAMES[:place])


def test_every_process_of_ours_has_its_entry() -> None:
    assert [name for name in NAMES if name in ENTRIES] == list(ENTRIES)


def test_the_gateway_ends_first_and_the_servers_last() -> None:
    assert not outlived("gateway", NAMES)
    assert {"gateway", "projector-live"} <= set(outlived("order", NAMES))
    for server in ("kafka", "dynamodb", "redis"):
        assert set(outlived(server, NAMES)) == set(ENTRIES)


def test_all_is_planned_unless_some_are_named() -> None:
    assert [row.name for row in planned([], [])] == NAMES
    order = [row.name for row in planned(["order"], [])]
    assert order == ["kafka", "dynamodb", "redis", "provision", "order"]


def test_a_given_server_is_not_planned() -> None:
    assert [row.name for row in planned(["kafka", "redis"], ["kafka"])] == ["redis"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="kafak"):
        planned(["kafak"], [])


def test_a_child_is_told_where_everything_is(tmp_path: Path) -> None:
    folder, caller = RunFolder(tmp_path), {"ORDERSTREAM_REDIS": "rediss://view.example:1/0"}
    addresses = endpoints({"gateway": 1, "kafka": 2, "dynamodb": 3}, given(caller))
    told = environ(caller, folder, {"gateway": 1}, addresses)
    expected = {
        "ORDERSTREAM_KAFKA": "127.0.0.1:2",
        "ORDERSTREAM_DYNAMODB": "http://127.0.0.1:3",
        "ORDERSTREAM_REDIS": "rediss://view.example:1/0",
        "ORDERSTREAM_SESSIONS": "rediss://view.example:1/1",
        "ORDERSTREAM_GATEWAY_PORT": "1",
        "ORDERSTREAM_RUN_DIR": str(folder.path),
        "ORDERSTREAM_ENV": "development",
        "ORDERSTREAM_PARTITION_COUNT": "2",
    }
    assert told.items() >= expected.items()


def test_the_caller_may_choose_where_sessions_are(tmp_path: Path) -> None:
    caller = {"ORDERSTREAM_SESSIONS": "redis://sessions.example:1/0"}
    told = environ(caller, RunFolder(tmp_path), {}, {"redis": "redis://127.0.0.1:6379"})
    assert told["ORDERSTREAM_SESSIONS"] == "redis://sessions.example:1/0"
    assert told["ORDERSTREAM_REDIS"] == "redis://127.0.0.1:6379"
