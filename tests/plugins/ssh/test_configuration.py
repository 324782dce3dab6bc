"""Which configuration is read."""

import os
from pathlib import Path

import pytest

from signer_core.errors import ConfigError
from signer_ssh.configuration import signers


def write(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[signers.{name}]\nbackend = "noop"\n')
    path.chmod(0o600)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, and a repository as the working directory, which brings configurations of its own."""
    repository = tmp_path / "repository"
    for path in ("signer.toml", ".config/signer/signer.toml", "signer/signer.toml", "config/signer/signer.toml"):
        write(repository / path, "hostile")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return write(tmp_path / "home/.config/signer/signer.toml", "home").parents[2]


def found(named: str | None = None) -> list[str | None]:
    return [each.name for each in signers(named)]


def test_it_is_the_user_s_own() -> None:
    assert found() == ["home"]


def test_it_is_where_the_user_keeps_configurations(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / "elsewhere/signer/signer.toml", "elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    assert found() == ["elsewhere"]


@pytest.mark.parametrize("relative", ["", ".", "config"])
def test_that_place_is_none_in_the_working_directory(relative: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", relative)
    assert found() == ["home"]


def test_the_variable_names_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNER_CONFIG", str(write(home / "other.toml", "other")))
    assert found() == ["other"]


def test_the_variable_names_none_in_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    for relative in ("signer.toml", "./signer.toml"):
        monkeypatch.setenv("SIGNER_CONFIG", relative)
        with pytest.raises(ConfigError, match="no absolute path: a repository could bring such a file"):
            signers(None)


def test_who_has_no_home_names_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is none that it knows."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    path = write(home / "other.toml", "other")
    assert found(str(path)) == ["other"]
    with pytest.raises(ConfigError, match=r"would be ~/\.config/signer/signer\.toml, which is no absolute path"):
        signers(None)


def test_a_relative_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", ".")
    with pytest.raises(ConfigError, match="no absolute path"):
        signers(None)


def test_the_option_wins_and_may_be_relative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNER_CONFIG", "/nowhere")
    assert found("signer.toml") == ["hostile"]


@pytest.mark.parametrize("by", ["default", "variable"])
def test_one_that_others_may_write_is_refused(by: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / ".config/signer/signer.toml"
    path.chmod(0o666)
    if by == "variable":
        monkeypatch.setenv("SIGNER_CONFIG", str(path))
    with pytest.raises(ConfigError, match="can be written by other users"):
        signers(None)


def test_without_one_the_error_says_where_it_would_be(home: Path) -> None:
    (home / ".config/signer/signer.toml").unlink()
    with pytest.raises(ConfigError, match=rf"{home}/\.config/signer/signer\.toml"):
        signers(None)


def test_each_asks_for_its_secrets_by_its_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home / "prompt.toml", "one")
    path.write_text(path.read_text() + '[signer]\nbackend = "noop"\n')
    monkeypatch.setattr("getpass.getpass", os.fsdecode)
    for each, asked in zip(signers(str(path)), (b"passphrase: ", b"passphrase of one: "), strict=True):
        assert each.prompt is not None
        assert each.prompt("passphrase") == asked
