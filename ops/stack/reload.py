"""A change of the source starts again, of the processes that run, those that load what was changed."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ops.stack.imports import PACKAGES, Sources, fault

SOURCE = Path(__file__).parents[2]
PAUSE = 0.1  # s between two looks at the files
NAMED = re.compile(
    r"\w[\w-]*\.[a-z]+"
)  # as a person names a file, not as editors name their copies

Stamps = Mapping[str, tuple[int, int]]
"""By path, when the file was last written and its size."""
Loaded = Mapping[str, frozenset[Path]]
"""By process, the modules' files."""


class Reloader:
    """Watches the source. entries: by process, the module that it enters.

    restart: has processes end as at a stop and start again. tell: is told what came of each change.
    """

    def __init__(
        self,
        source: Path,
        entries: Mapping[str, str],
        restart: Callable[[Collection[str]], Awaitable[None]],
        tell: Callable[[str], None],
    ) -> None:
        self._source = source
        self._entries = entries
        self._restart = restart
        self._tell = tell

    async def run(self) -> None:
        """Never returns. A change that is refused is taken together with the one that mends it."""
        sources = Sources(self._source)
        applied = seen = stamps(self._source)
        before = self.loaded(sources)
        while True:
            seen = await settled(self._source, seen)
            changed = [
                Path(path) for path in sorted({path for path, _ in applied.items() ^ seen.items()})
            ]
            sources.forget(changed)
            after = self.loaded(sources)
            users = {path: {*users_of(path, before), *users_of(path, after)} for path in changed}
            faults = {path: said for path in changed if users[path] and (said := fault(path))}
            if faults:
                told = "; ".join(f"{self.name(path)}: {said}" for path, said in faults.items())
                self._tell(f"{told}: nothing is restarted")
                continue
            applied, before = seen, after
            await self.apply(users)

    async def apply(self, users: Mapping[Path, Collection[str]]) -> None:
        """Restarts whoever loads one of the files. Returns once their old lives have ended."""
        names = [name for name in self._entries if any(name in using for using in users.values())]
        files = ", ".join(self.name(path) for path in users)
        self._tell(f"{files}: {' '.join(names) or 'nothing that runs loads it'}")
        await self._restart(names)

    def loaded(self, sources: Sources) -> Loaded:
        """Returns the modules that each process loads."""
        files = sources.reached(set(self._entries.values()))
        return {name: files[module] for name, module in self._entries.items()}

    def name(self, path: Path) -> str:
        return path.relative_to(self._source).as_posix()


def users_of(path: Path, loaded: Loaded) -> Iterator[str]:
    """Yields the processes that load the file; what is no Python is loaded by the modules beside it."""
    for name, modules in loaded.items():
        if path in modules or (
            path.suffix != ".py"
            and any(each.parent == path.parent and each.name != "__init__.py" for each in modules)
        ):
            yield name


def stamps(source: Path) -> Stamps:
    """Returns the stamps of all files of ours: 209 take about 1 ms."""
    found = {}
    for entry in (entry for package in PACKAGES for entry in written(f"{source}/{package}")):
        try:
            stat = entry.stat()
        except FileNotFoundError:  # an editor puts its new copy in the place of the old one
            continue
        found[entry.path] = stat.st_mtime_ns, stat.st_size
    return found


def written(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yields the files below the folder that a person could have written."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from written(entry.path) if entry.name != "__pycache__" else ()
            elif NAMED.fullmatch(entry.name):
                yield entry


async def settled(source: Path, last: Stamps) -> Stamps:
    """Returns the stamps once they differ from the last and stand still: many saves are one change."""
    found, before = stamps(source), last
    while found == last or found != before:
        await asyncio.sleep(PAUSE)
        found, before = stamps(source), found
    return found
