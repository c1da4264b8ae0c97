"""Logs of processes, read while they are written."""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from ops.stack.log_file import PAUSE, follow, last_lines, readable

LIMIT = 30  # s


def test_the_last_lines_are_there_even_if_no_file_is(tmp_path: Path) -> None:
    file = tmp_path / "order.log"
    assert last_lines(file, 2) == []
    file.write_bytes(b"one\ntwo\nthr\xffee\n")
    assert last_lines(file, 2) == ["two", "thr\ufffdee"]


def test_a_traceback_is_spread_over_its_lines() -> None:
    failed = '{"event": "failed", "exception": "Traceback:\\n  here\\nValueError"}'
    plain = ['{"event": "ready"}', "no JSON", "[1]"]
    spread = ['{"event": "failed"}', "Traceback:", "  here", "ValueError"]
    assert readable([*plain, failed]) == [*plain, *spread]


def test_a_log_is_followed_also_once_it_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "order.log"
    file.write_text("before\n")
    followed = follow(file)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(next, followed)
        while not wait([found], timeout=PAUSE).done:  # it may not look yet
            with file.open("a") as opened:
                opened.write("more\n")
        assert set(found.result().splitlines()) == {"more"}
        file.write_text("short\n")
        assert pool.submit(next, followed).result(LIMIT) == "short\n"
