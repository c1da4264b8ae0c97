"""What of our own code a module loads, by reading the imports: so it is known of what fails to start, too."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("events", "infra", "services", "gateway", "ops")


class Sources:
    """The modules below a folder. Each is read when it is first reached and again after forget()."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._imports: dict[Path, frozenset[str]] = {}
        self._stale: set[Path] = set()

    def reached(self, modules: Collection[str]) -> dict[str, frozenset[Path]]:
        """Returns, by module, the files of all that is loaded with it, its own among them."""
        files = cache(self.files)  # as they are now: the next time others may be there
        return {module: frozenset(self.loaded(module, files)) for module in modules}

    def loaded(self, module: str, files: Callable[[str], list[Path]]) -> set[Path]:
        found: set[Path] = set()
        waiting = files(module).copy()
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += (file for name in self.imports(path) for file in files(name))
        return found

    def forget(self, changed: Iterable[Path]) -> None:
        """Has the files read again that changed."""
        self._stale.update(changed)

    def imports(self, path: Path) -> frozenset[str]:
        """Returns the modules that the file imports; what it last did if it is no valid Python now."""
        if path not in self._imports or path in self._stale:
            self._stale.discard(path)
            try:
                tree = ast.parse(path.read_bytes())
            except (OSError, SyntaxError, ValueError):
                return self._imports.setdefault(path, frozenset())
            package = path.relative_to(self.root).parent.parts
            self._imports[path] = frozenset(imported(tree.body, package))
        return self._imports[path]

    def files(self, module: str) -> list[Path]:
        """Returns the files that an import of the module runs: its packages' and its own; none if it is not ours."""
        parts = module.split(".")
        if parts[0] not in PACKAGES:
            return []
        places = [self.root.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
        files = (
            file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))
        )
        return [file for file in files if file.is_file()]


def imported(nodes: Iterable[ast.AST], package: tuple[str, ...]) -> Iterator[str]:
    """Yields the modules that the code imports, in functions too; what it imports a name from may be one itself."""
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else ()
                base = ".".join((*above, *(module.split(".") if module else ())))
                yield base
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                yield from imported(otherwise, package)
            case _:
                yield from imported(ast.iter_child_nodes(node), package)


def fault(path: Path) -> str | None:
    """Returns what makes the file no valid Python, with its line; None if it is valid, gone or no Python at all."""
    if path.suffix != ".py":
        return None
    try:
        compile(path.read_bytes(), path, "exec", dont_inherit=True)
    except FileNotFoundError:
        return None
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:  # of bytes that are no text
        return str(error)
    return None
