"""A page's commands as a shell runs them, with or without curl on the machine."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = f"""#!{sys.executable}
import signal, sys, urllib.error, urllib.request
words = [word for word in sys.argv[1:] if word not in ("-sS", "-sSN")]
url = next(word for word in words if "://" in word)
words.remove(url)
options = list(zip(words[::2], words[1::2]))
body = dict(options).get("--json")
signal.signal(signal.SIGALRM, lambda *_: sys.exit(28))
signal.alarm(int(dict(options).get("--max-time", 0)))
request = urllib.request.Request(url, body.encode() if body else None)
request.add_header("Content-Type", "application/json")
for name, value in options:
    if name == "-H":
        request.add_header(*value.split(": ", 1))
try:
    for line in urllib.request.urlopen(request):
        print(line.decode(), end="", flush=True)
    print()
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
"""
"""Of curl what the pages use, for a machine that has nothing but Python."""


def script(page: str, but: Callable[[str], bool] = lambda _: False) -> str:
    """Returns all commands of a page as one script that ends at the first that fails. but: lines that are left out."""
    blocks = [block.group(1) for block in BLOCK.finditer(page)]
    lines = [line for block in blocks for line in block.splitlines() if not but(line)]
    return "set -euo pipefail\n" + "\n".join(lines)


def run(
    commands: str, folder: Path, tools: Path, limit: int, environ: Mapping[str, str] | None = None
) -> str:
    """Returns what the commands print. limit: s. Raises: AssertionError if one fails."""
    (tools / ".curlrc").write_text("fail-with-body\n")
    if shutil.which("curl") is None:
        (tools / "curl").write_text(CURL)
        (tools / "curl").chmod(stat.S_IRWXU)
    ran = subprocess.run(
        ["bash", "-c", commands],
        cwd=folder,
        env={
            **os.environ,
            **(environ or {}),
            "CURL_HOME": str(tools),
            "PATH": f"{os.environ['PATH']}:{tools}",
        },
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
