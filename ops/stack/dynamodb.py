"""DynamoDB Local on disk, on loopback alone."""

import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ops.stack import artefacts, flock, jvm
from ops.stack.artefacts import Progress, Unavailable
from ops.stack.probes import http_status
from ops.stack.process import Process, Stack

LAUNCHER = "LoopbackDdb"
NICE = 5
"""Behind whoever is on an order's way, where only the history needs it; still fast enough for who logs in."""


def install(progress: Progress) -> None:
    """Makes everything that a start needs be there. Raises: Unavailable."""
    jars = artefacts.ensure("dynamodb", progress)
    with flock.holding(launcher().with_suffix(".flock")):
        if not launcher().exists():
            compile_launcher(jars, artefacts.ensure("ecj", progress))


def launcher() -> Path:
    """Returns where the compiled launcher belongs, by what it is made of.

    DynamoDB Local listens on every interface and has no option against it, hence a launcher.
    """
    digest = artefacts.sha256(artefacts.source(f"{LAUNCHER}.java"))[:12]
    return artefacts.cache() / f"{artefacts.folder('dynamodb').name}-{digest}.jar"


def compile_launcher(jars: Path, ecj: Path) -> None:
    """Compiles the launcher: the Java runtime of the wheel has no compiler, ecj is one."""
    compiler = ecj / artefacts.pinned("ecj")[0].name
    with tempfile.TemporaryDirectory(dir=artefacts.cache()) as made:
        sources = ["-d", made, str(artefacts.source(f"{LAUNCHER}.java"))]
        command = [jvm.java(), "-jar", str(compiler), "-17", "-nowarn", "-cp", classpath(jars)]
        done = subprocess.run([*command, *sources], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise Unavailable(f"{LAUNCHER}.java does not compile: {done.stdout}{done.stderr}")
        arrived = Path(made) / "launcher.jar"
        with zipfile.ZipFile(arrived, "w") as jar:
            jar.write(Path(made) / f"{LAUNCHER}.class", f"{LAUNCHER}.class")
        arrived.replace(launcher())


def classpath(jars: Path) -> str:
    files = artefacts.pinned("dynamodb")  # among them are libraries of machine code
    return ":".join(str(jars / file.name) for file in files if file.name.endswith(".jar"))


async def command(stack: Stack) -> Sequence[str]:
    jars = artefacts.folder("dynamodb")
    flags = [*jvm.flags(stack.environ), "-Xmx256m", f"-Djava.library.path={jars}"]
    classes = ["--enable-native-access=ALL-UNNAMED", "-cp", f"{launcher()}:{classpath(jars)}"]
    where = ["-port", str(stack.ports["dynamodb"]), "-dbPath", str(stack.folder.data("dynamodb"))]
    options = [*where, "-sharedDb", "-disableTelemetry"]
    return ["nice", "-n", str(NICE), jvm.java(), *flags, *classes, LAUNCHER, *options]


async def ready(stack: Stack) -> bool:
    return await http_status(stack.ports["dynamodb"], "/") != 0  # 400: it asks who we are


DYNAMODB = Process(name="dynamodb", command=command, ready=ready, ports={"dynamodb": 8000})
