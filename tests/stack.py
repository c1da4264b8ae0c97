"""Real servers for tests: started by the product's own code, once a test run, always stopped.

Each fixture starts its own small stack when it is first asked for. Under xdist the workers share
it. The process that began the test run stops all of them; should it be killed, they end by
themselves. A test that uses one of these fixtures carries `@pytest.mark.stack`.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down, up

# Set by the process that began the test run, inherited by xdist's workers.
FOLDER, OWNER = "ORDERSTREAM_TEST_FOLDER", "ORDERSTREAM_TEST_OWNER"
FAILED = pytest.StashKey[bool]()
ON_CONTAINERS = "--on-containers"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        ON_CONTAINERS,
        action="store_true",
        help="run the end-to-end tests on servers in containers in place of the packaged ones",
    )


def serve(name: str, *only: str) -> RunFolder:
    """Returns the folder of a stack that is ready, started by whoever asks first.

    only: these processes and what they need, else all.
    """
    folder = RunFolder(Path(os.environ[FOLDER]) / name)
    up(folder, only=only, any_ports=True, owner=int(os.environ[OWNER]))
    return folder


@pytest.fixture(scope="session")
def kafka() -> str:
    """Returns host:port of a broker of this test run."""
    return serve("kafka", "kafka").endpoints()["kafka"]


@pytest.fixture(scope="session")
def dynamodb() -> str:
    """Returns the URL of a DynamoDB of this test run."""
    return serve("dynamodb", "dynamodb").endpoints()["dynamodb"]


@pytest.fixture(scope="session")
def redis() -> str:
    """Returns the URL of a Redis of this test run, without a database's number."""
    return serve("redis", "redis").endpoints()["redis"]


@pytest.fixture(scope="session")
def stack() -> RunFolder:
    """Returns the folder of a whole stack of this test run: its endpoints() and its status()."""
    return serve("stack")


def pytest_configure(config: pytest.Config) -> None:
    """Makes room for the run's stacks; what the caller's environment names is not for tests."""
    if FOLDER in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("ORDERSTREAM_")]:
        del os.environ[name]
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="orderstream-tests-")
    os.environ[OWNER] = str(os.getpid())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[FAILED] = exitstatus == pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops all that the run started; leaves the servers' logs if a test failed."""
    if os.environ.get(OWNER) != str(os.getpid()):
        return
    top = Path(os.environ.pop(FOLDER))
    for path in top.iterdir():
        down(RunFolder(path))
        shutil.rmtree(path / "data", ignore_errors=True)
    if config.stash.get(FAILED, False) and any(top.iterdir()):
        print(f"the servers' logs: {top}/*/logs")
    else:
        shutil.rmtree(top)
