"""Settings: working defaults, owned partitions, no start with what others may know."""

import pytest
from pydantic import SecretStr

from infra.process.settings import Settings, load

SECRET = "b0" * 16


class Signing(Settings):
    signing_key: SecretStr = SecretStr("for development alone, known to all")


def test_everything_has_a_local_default() -> None:
    settings = load(Settings)
    assert settings.host == "127.0.0.1"
    assert settings.owned == (0, 1)


def test_owned_partitions_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_PARTITION_COUNT", "12")
    monkeypatch.setenv("ORDERSTREAM_PARTITIONS", "7,3")
    assert load(Settings).owned == (3, 7)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ORDERSTREAM_PARTITIONS", "0,2", "partitions [2]: there are 2, from 0"),
        ("ORDERSTREAM_PARTITIONS", "one", "ORDERSTREAM_PARTITIONS"),
        ("ORDERSTREAM_GATEWAY_PORT", "70000", "ORDERSTREAM_GATEWAY_PORT: "),
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
        load(Settings)
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
