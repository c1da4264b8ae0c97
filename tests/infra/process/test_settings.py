"""Settings: working defaults, owned partitions, no start with what others may know."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.process.service import ShellSettings
from infra.process.settings import Settings, load

SECRET = "b0" * 16


class Signing(Settings):
    signing_key: SecretStr = SecretStr("for development alone, known to all")


def test_everything_has_a_local_default() -> None:
    settings = load(Settings)
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("named", "owned"),
    [("", range(12)), ("7,3,3", (3, 7)), ("1/5", (1, 6, 11)), ("0/1", range(12))],
)
def test_owned_partitions_are_named_or_a_share(
    monkeypatch: pytest.MonkeyPatch, named: str, owned: Iterable[int]
) -> None:
    monkeypatch.setenv("ORDERSTREAM_PARTITION_COUNT", "12")
    monkeypatch.setenv("ORDERSTREAM_PARTITIONS", named)
    assert load(ShellSettings).owned == tuple(owned)


@pytest.mark.parametrize("shares", range(1, 13))
def test_shares_own_every_partition_once(shares: int) -> None:
    owners = [
        ShellSettings(partition_count=12, partitions=f"{share}/{shares}") for share in range(shares)
    ]
    assert sorted(p for owner in owners for p in owner.owned) == list(range(12))


def test_a_setting_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "orderstream_signing_key").write_text(SECRET)
    assert Signing(_secrets_dir=tmp_path).signing_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ORDERSTREAM_PARTITIONS", "0,2", "partitions [2]: there are 2, from 0"),
        ("ORDERSTREAM_PARTITIONS", "one", "ORDERSTREAM_PARTITIONS"),
        ("ORDERSTREAM_PARTITIONS", "2/3", "partitions 2/3: none of 2"),
        ("ORDERSTREAM_PARTITIONS", "3/3", "partitions 3/3: none of 2"),
        ("ORDERSTREAM_PARTITIONS", "0/0", "partitions 0/0: none of 2"),
        ("ORDERSTREAM_ADMIN_PORT", "70000", "ORDERSTREAM_ADMIN_PORT: "),
        ("ORDERSTREAM_ENV", "staging", "ORDERSTREAM_ENV: "),
    ],
)
def test_what_can_not_be_used_ends_the_process_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(ShellSettings)
    assert ended.value.code == 78
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("secret", [None, "", SECRET[:31], f"dev{SECRET}"])
def test_production_refuses_a_secret_that_others_may_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str | None
) -> None:
    monkeypatch.setenv("ORDERSTREAM_ENV", "production")
    if secret is not None:
        monkeypatch.setenv("ORDERSTREAM_SIGNING_KEY", secret)
    with pytest.raises(SystemExit) as ended:
        load(Signing)
    assert ended.value.code == 78
    said = capsys.readouterr().err
    assert "ORDERSTREAM_SIGNING_KEY" in said
    assert not secret or secret not in said


def test_production_takes_a_secret_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_ENV", "production")
    monkeypatch.setenv("ORDERSTREAM_SIGNING_KEY", SECRET)
    assert load(Signing).signing_key.get_secret_value() == SECRET


def test_development_needs_none() -> None:
    assert "known to all" not in repr(load(Signing))
