import copy
import os
import pickle
from pathlib import Path

import pytest

from signer_core import Secret
from signer_core.errors import ConfigError
from tests.keys import assert_hides, chain_of


def test_literal() -> None:
    assert Secret(b"hunter2").reveal() == b"hunter2"


def test_callable_is_asked_each_time_the_secret_is_used() -> None:
    answers = [b"first", b"second"]
    secret = Secret(lambda: answers.pop(0))
    assert (secret.reveal(), secret.reveal()) == (b"first", b"second")


@pytest.mark.parametrize("source", ["hunter2", 5, None, bytearray(b"x")])
def test_made_of_bytes_or_a_callable_only(source: object) -> None:
    with pytest.raises(TypeError) as caught:
        Secret(source)  # type: ignore[arg-type]
    assert_hides("hunter2", caught.value)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", b"hunter2"),
        (b"hunter2\n", b"hunter2"),
        (b"hunter2\r\n", b"hunter2"),
        (b"hunter2\n\n", b"hunter2\n"),
        (b"hunter2\r", b"hunter2\r"),
        (b" \xff\x00 \n", b" \xff\x00 "),
        (b"", b""),
        (b"\n", b""),
    ],
)
def test_file_loses_one_newline_at_its_end(tmp_path: Path, content: bytes, secret: bytes) -> None:
    (tmp_path / "passphrase").write_bytes(content)
    assert Secret.from_reference("file:passphrase", directory=tmp_path).reveal() == secret


def test_file_is_read_when_the_secret_is_used(tmp_path: Path) -> None:
    secret = Secret.from_reference("file:later", directory=tmp_path)
    (tmp_path / "later").write_bytes(b"now")
    assert secret.reveal() == b"now"


def test_file_without_a_directory_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Secret.from_reference("file:x").reference == f"file:{tmp_path / 'x'}"


def test_file_under_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Secret.from_reference("file:~/x").reference == f"file:{tmp_path / 'x'}"


def test_environment_variable_is_read_when_the_secret_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret.from_reference("env:THROWAWAY")
    monkeypatch.setenv("THROWAWAY", "hunter2")
    assert secret.reveal() == b"hunter2"


def test_environment_variable_holds_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROWAWAY", os.fsdecode(b"\xff\xfe"))
    assert Secret.from_reference("env:THROWAWAY").reveal() == b"\xff\xfe"


def test_prompt_asks_whenever_the_secret_is_used() -> None:
    secret = Secret.from_reference("prompt", prompt=lambda: b"typed")
    assert secret.reveal() == b"typed"


def test_prompt_without_a_command_line_says_so() -> None:
    with pytest.raises(ConfigError, match="command line only"):
        Secret.from_reference("prompt").reveal()


@pytest.mark.parametrize(
    "reference", ["hunter2", "", "file:", "env:", "env:A=hunter2", "file:hunter2\0", "env:A\0", "FILE:x", "prompt:x"]
)
def test_anything_else_is_refused_and_not_repeated(reference: str) -> None:
    with pytest.raises(ConfigError, match="file:PATH") as caught:
        Secret.from_reference(reference)
    assert_hides("hunter2", caught.value)


@pytest.mark.parametrize("name", ["absent", ".", "x" * 5000, "\ud800", "file/below"])
def test_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^the secret file .* cannot be read"):
        Secret.from_reference(f"file:{name}", directory=tmp_path).reveal()


def test_file_without_end_is_not_read_to_the_end() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        Secret.from_reference("file:/dev/zero").reveal()


@pytest.mark.parametrize("name", ["THROWAWAY_ABSENT", "\ud800"])
def test_environment_variable_that_is_not_set(name: str) -> None:
    with pytest.raises(ConfigError):
        Secret.from_reference(f"env:{name}").reveal()


def test_callable_that_fails_is_a_configuration_error_without_its_text() -> None:
    def fails() -> bytes:
        raise LookupError("hunter2")

    with pytest.raises(ConfigError, match="LookupError") as caught:
        Secret(fails).reveal()
    assert_hides("hunter2", caught.value)
    assert chain_of(caught.value) == [caught.value]


def test_callable_may_raise_a_configuration_error_of_its_own() -> None:
    def fails() -> bytes:
        raise ConfigError("the vault is locked")

    with pytest.raises(ConfigError, match=r"^the vault is locked$"):
        Secret(fails).reveal()


@pytest.mark.parametrize("revealed", ["hunter2", None, bytearray(b"hunter2")])
def test_callable_must_return_bytes(revealed: object) -> None:
    with pytest.raises(ConfigError, match="must return bytes") as caught:
        Secret(lambda: revealed).reveal()  # type: ignore[arg-type, return-value]
    assert_hides("hunter2", caught.value)


@pytest.mark.parametrize("secret", [Secret(b"hunter2"), Secret(lambda: b"hunter2")])
def test_repr_does_not_show_what_it_holds(secret: Secret) -> None:
    assert repr(secret) == "Secret('…')"
    assert str(secret) == "Secret('…')"


def test_repr_shows_the_reference() -> None:
    assert repr(Secret.from_reference("env:TOKEN")) == "Secret('env:TOKEN')"


@pytest.mark.parametrize(
    "secret", [Secret(b"hunter2"), Secret(lambda: b"hunter2"), Secret.from_reference("prompt", prompt=lambda: b"x")]
)
def test_pickle_refuses_what_is_no_reference(secret: Secret) -> None:
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(secret)
    assert_hides("hunter2", caught.value)


def test_pickle_of_a_file_is_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "passphrase").write_bytes(b"hunter2")
    pickled = pickle.dumps(Secret.from_reference("file:passphrase", directory=tmp_path))
    assert b"hunter2" not in pickled
    monkeypatch.chdir("/")
    assert pickle.loads(pickled).reveal() == b"hunter2"


def test_pickle_of_an_environment_variable_is_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROWAWAY", "hunter2")
    pickled = pickle.dumps(Secret.from_reference("env:THROWAWAY"))
    assert b"hunter2" not in pickled
    monkeypatch.setenv("THROWAWAY", "changed")
    assert pickle.loads(pickled).reveal() == b"changed"


def test_pickle_needs_no_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = pickle.dumps(Secret.from_reference("file:/absolute"))
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert pickle.loads(pickled).reference == "file:/absolute"


def test_copy_of_a_literal_is_refused_too() -> None:
    with pytest.raises(TypeError):
        copy.copy(Secret(b"hunter2"))
