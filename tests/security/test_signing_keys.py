"""The keys that sign tokens: row 16 of the security table."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.auth import Tokens
from gateway.deps import Parts
from gateway.keys import (
    FIRST_KEY,
    READ_AGAIN,
    SETTLED,
    KeyFolder,
    ensure_development_key,
    load_keys,
)
from tests.gateway.conftest import Clock, Twins
from tests.gateway.test_process import environ, person, running
from tests.gateway.test_process import log_in as log_in_at

from .conftest import BASE, Client, bearer, calling, log_in, registered, session

__all__ = ["environ"]
OLD, NEW = "2027-01", "2027-02"
ME = f"{BASE}/auth/me"


def write(folder: Path, kid: str, written: int) -> None:
    """Puts a new key there, its file written at that moment, ms since the epoch."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / f"{kid}.pem").write_bytes(pem)
    touch(folder, kid, written)


def touch(folder: Path, kid: str, written: int) -> None:
    os.utime(folder / f"{kid}.pem", ns=(written * 10**6,) * 2)


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> Path:
    write(tmp_path, OLD, clock.ms - SETTLED)
    return tmp_path


class Gateway:
    """One of several on the same stores, with a copy of the keys of its own: files come to machines one by one."""

    def __init__(self, client: Client, keys: KeyFolder, tokens: Tokens) -> None:
        self.client, self.keys, self.tokens = client, keys, tokens

    async def look(self) -> bool:
        return await self.keys.look(self.tokens)


@asynccontextmanager
async def gateway(parts: Parts, folder: Path, clock: Clock) -> AsyncIterator[Gateway]:
    keys = KeyFolder(folder, clock)
    by_id, signs = keys.read()
    tokens = Tokens(by_id, clock, signs)
    async with calling(replace(parts, tokens=tokens)) as client:
        yield Gateway(client, keys, tokens)


def signer(headers: dict[str, str]) -> str:
    """Returns the id of the key that signed the token."""
    return str(jwt.get_unverified_header(headers["Authorization"].split()[1])["kid"])


async def test_s16_a_key_is_changed_without_a_restart_or_a_logout(
    parts: Parts, twins: Twins, folder: Path
) -> None:
    clock = twins.clock
    async with gateway(parts, folder, clock) as one, gateway(parts, folder, clock) as two:
        for name in ("ada", "eve"):
            await registered(one.client, name)
        old = await session(one.client)
        done, statuses = asyncio.Event(), list[int]()
        loading = asyncio.create_task(load(one.client, two.client, old, done, statuses))
        write(folder, NEW, clock.ms)
        await one.look()  # and the other does not know it yet
        unknown = await session(one.client)
        assert signer(unknown) == OLD
        assert (await two.client.get(ME, headers=unknown)).status_code == 200

        await two.look()
        touch(folder, NEW, clock.ms - SETTLED)
        await one.look()
        new = await session(one.client)
        assert signer(new) == NEW
        for headers in (old, new):
            assert (await two.client.get(ME, headers=headers)).status_code == 200
        done.set()
        await loading
        assert len(statuses) >= 4
        assert set(statuses) == {200}

        (folder / f"{OLD}.pem").unlink()
        for each in (one, two):
            await each.look()
            refused = await each.client.get(ME, headers=old)
            assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
            assert (await each.client.get(ME, headers=new)).status_code == 200


async def load(
    one: Client, two: Client, old: dict[str, str], done: asyncio.Event, statuses: list[int]
) -> None:
    """Asks both gateways again and again, with a token as old as possible and with one of the moment."""
    while not done.is_set():
        for each in (one, two):
            given = (old, await session(one, "eve"))  # her own would end at her eleventh
            answers = [await each.get(ME, headers=headers) for headers in given]
            statuses += [answer.status_code for answer in answers]


async def test_s16_a_session_goes_on_when_its_key_is_gone(
    parts: Parts, twins: Twins, folder: Path
) -> None:
    async with gateway(parts, folder, twins.clock) as one:
        await registered(one.client)
        pair = (await log_in(one.client)).json()
        (folder / f"{OLD}.pem").unlink()
        write(folder, NEW, twins.clock.ms)  # the only one signs, however new
        await one.look()
        given = await one.client.post(
            f"{BASE}/auth/refresh", json={"refresh_token": pair["refresh_token"]}
        )
        headers = bearer(given.json()["access_token"])
        assert (given.status_code, signer(headers)) == (200, NEW)
        assert (await one.client.get(ME, headers=headers)).status_code == 200


@pytest.mark.parametrize(("ages", "signs"), [((0, 0), OLD), ((1, 0), OLD), ((0, 1), NEW)])
def test_s16_a_key_signs_once_it_is_known_everywhere(
    folder: Path, clock: Clock, ages: tuple[int, int], signs: str
) -> None:
    write(folder, NEW, 0)
    for kid, age in zip((OLD, NEW), ages, strict=True):
        touch(folder, kid, clock.ms - age * SETTLED)
    assert KeyFolder(folder, clock).read().signer == signs
    touch(folder, NEW, clock.ms - SETTLED)
    assert KeyFolder(folder, clock).read().signer == NEW


@pytest.fixture
def logged(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], str]:
    """Returns what tells what was logged, wherever this process's logs go."""
    return lambda: "".join([*capsys.readouterr(), caplog.text])


@pytest.mark.parametrize("fault", ["no key", "no PEM", "another kind"])
async def test_s16_what_can_t_be_read_changes_nothing_and_no_key_is_told(
    parts: Parts,
    twins: Twins,
    folder: Path,
    fault: str,
    logged: Callable[[], str],
) -> None:
    secret = (folder / f"{OLD}.pem").read_text()
    async with gateway(parts, folder, twins.clock) as one:
        await registered(one.client)
        headers = await session(one.client)
        if fault == "no key":
            (folder / f"{OLD}.pem").unlink()
        else:
            (folder / f"{NEW}.pem").write_bytes(another_kind() if fault == "another kind" else b"x")
        assert not await one.look()
        assert (await one.client.get(ME, headers=headers)).status_code == 200
        assert (await one.client.get(ME, headers=await session(one.client))).status_code == 200
        told = [(await one.client.get(path)).text for path in ("/health", "/health/ready")]
        told += [repr(one.tokens), repr(one.keys), logged()]
    body = secret.splitlines()[1]
    raw = load_private(secret)
    for key in (body, raw.hex(), base64.b64encode(raw).decode(), str(raw)):
        assert key not in "".join(told)


def load_private(pem: str) -> bytes:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key.private_bytes_raw()


def another_kind() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.stack
@pytest.mark.slow
async def test_s16_a_process_finds_a_new_key_by_itself(environ: dict[str, str]) -> None:
    ada, eve = person(), person()
    folder = Path(environ["ORDERSTREAM_RUN_DIR"]) / "keys"
    async with running(environ) as running_gateway:
        client = running_gateway.client
        for each in (ada, eve):
            await client.post(f"{BASE}/auth/register", json=each)
        old = await log_in_at(client, ada)
        assert signer(old) == FIRST_KEY
        write(folder, NEW, 0)
        async with asyncio.timeout(12 * READ_AGAIN):
            while signer(await log_in_at(client, eve)) == FIRST_KEY:
                pass
        assert (await client.get(ME, headers=old)).status_code == 200


def test_a_gateway_does_not_start_without_a_key(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ValueError, match="folder of keys"):
        KeyFolder(tmp_path, clock).read()
    (tmp_path / "1.pem").write_bytes(another_kind())
    with pytest.raises(ValueError, match="Ed25519"):
        KeyFolder(tmp_path, clock).read()


def test_a_development_key_is_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_development_key(folder), range(8)))
    assert [path.name for path in folder.iterdir()] == [f"{FIRST_KEY}.pem"]
    assert (folder / f"{FIRST_KEY}.pem").stat().st_mode & 0o777 == 0o600
    assert list(load_keys(folder)) == [FIRST_KEY]
