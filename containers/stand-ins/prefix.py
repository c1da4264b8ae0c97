"""Copies the Python that runs this into a folder, as the base image has it in /usr/local."""

import shutil
import subprocess
import sys
from pathlib import Path

LEFT_OUT = ("test", "site-packages", "__pycache__", "idlelib", "tkinter", "config-*", "*.a")


def main(target: Path) -> None:
    prefix, name = Path(sys.base_prefix), f"python3.{sys.version_info.minor}"
    library = target / "lib" / name
    shutil.copytree(prefix / "lib" / name, library, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (library / "site-packages").mkdir()
    for shared in prefix.glob("lib/libpython3*.so*"):
        shutil.copy(shared, target / "lib", follow_symlinks=False)
    (target / "bin").mkdir()
    shutil.copy(prefix / "bin" / name, target / "bin" / name)
    machine_code = [*target.rglob("*.so*"), target / "bin" / name]
    subprocess.run(["strip", "--strip-unneeded", *machine_code], check=True)  # as the real one is
    for link in ("python3", "python"):
        (target / "bin" / link).symlink_to(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
