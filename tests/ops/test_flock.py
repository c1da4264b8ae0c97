"""A lock between processes: held by one, asked about by many, dropped with its holder."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from ops.stack import flock


def test_one_holds_it_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not flock.is_held(path)
    held = flock.hold(path)
    assert held is not None
    assert flock.is_held(path)
    assert flock.hold(path) is None
    os.close(held)
    assert not flock.is_held(path)


def test_who_only_asks_keeps_nobody_from_holding_it(tmp_path: Path) -> None:
    path, done = tmp_path / "lock", Event()

    def ask() -> None:
        while not done.is_set():
            flock.is_held(path)

    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(ask)
        for _ in range(100):
            held = flock.hold(path, patience=10)
            assert held is not None
            os.close(held)
        done.set()
        asking.result()
