"""Reading a process's log as it grows."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PAUSE = 0.2  # s between two looks at whether it grew


def last_lines(file: Path, count: int) -> list[str]:
    """Returns the last lines of the file, without their ends; none if there is no file."""
    if not file.exists():
        return []
    return file.read_text(errors="replace").splitlines()[-count:]


def readable(lines: Iterable[str]) -> list[str]:
    """Returns the lines with what failed spread out: JSON holds a traceback in one."""
    spread: list[str] = []
    for line in lines:
        spread.append(line)
        with suppress(ValueError, AttributeError, TypeError):  # no JSON, or no object
            fields = json.loads(line)
            if trace := fields.pop("exception", None):
                spread[-1:] = [json.dumps(fields), *trace.splitlines()]
    return spread


def follow(file: Path) -> Iterator[str]:
    """Yields what is written to the file from now on, for ever, also once it is begun anew."""
    place = file.stat().st_size if file.exists() else 0
    while True:
        size = file.stat().st_size if file.exists() else 0
        if size < place:
            place = 0
        if size > place:
            with file.open("rb") as opened:
                opened.seek(place)
                found = opened.read()
            place += len(found)
            yield found.decode(errors="replace")
        else:
            time.sleep(PAUSE)
