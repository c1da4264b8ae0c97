"""docs/runbooks: what they have an operator look at shows what they say it does, on a real stack."""

import sys
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from infra.stores.failures import FREE
from ops.stack.folder import RunFolder
from tests.shell import run, script

RUNBOOKS = Path(__file__).parents[1] / "docs" / "runbooks"
LIMIT = 60  # s


@pytest.mark.stack
def test_failed_logins_are_seen_where_it_is_said(stack: RunFolder, tmp_path: Path) -> None:
    endpoints, nobody = stack.endpoints(), f"nobody-{uuid4().hex[:8]}"
    wrong = {"username": nobody, "password": "wrong horse"}
    with httpx2.Client(base_url=endpoints["gateway"]) as client:
        tried = [client.post("/api/v1/auth/login", json=wrong) for _ in range(FREE + 1)]
    assert [answer.status_code for answer in tried] == [401] * FREE + [429]
    ports = stack.read("ports.json")
    assert ports
    (tmp_path / "orderstream").symlink_to(Path(sys.executable).with_name("orderstream"))
    told = run(
        script((RUNBOOKS / "failed-logins.md").read_text()),
        tmp_path,
        tmp_path,
        LIMIT,
        {
            "METRICS": f"http://127.0.0.1:{ports['gateway-admin']}",
            "ORDERSTREAM_RUN_DIR": str(stack.path),
        },
    )
    seen = dict(line.rsplit(" ", 1) for line in told.splitlines() if line.startswith("orderstream"))
    assert float(seen['orderstream_passwords_total{how="failed"}']) >= FREE
    assert float(seen['orderstream_passwords_total{how="waits"}']) >= 1
    assert " 000000000000 login_failed" in told
