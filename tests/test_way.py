"""The way of a message to its signature by one key."""

from typing import Any

import pytest

from signer_core import Deadline, SigningKey
from signer_core.attempts import Attempts
from signer_core.errors import (
    ConfigError,
    InvalidSignatureError,
    MessageTooLargeError,
    PluginContractError,
    SignatureVerificationError,
    SignError,
)
from signer_core.way import way_to_sign
from tests.keys import OTHER_SEED, Clock, Ed25519Key, ScriptedKey

NOW = Deadline.after(None)


def signed(key: SigningKey, message: bytes = b"message", *, verify: bool = False, **attempts: Any) -> bytes:
    return way_to_sign(key, Attempts(jitter=lambda _: 0.0, **attempts), verify=verify)(message, NOW)


def test_signature_of_the_key() -> None:
    key = Ed25519Key()
    assert signed(key) == key.private_key.sign(b"message")


@pytest.mark.parametrize("error", [SignError("no"), ConfigError("no passphrase"), InvalidSignatureError("x")])
def test_error_of_the_library_s_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        signed(ScriptedKey([error]))
    assert caught.value is error


def test_foreign_exception_is_a_broken_contract() -> None:
    error = RuntimeError("hunter2")
    with pytest.raises(PluginContractError, match=r"tests\.keys\.ScriptedKey\.sign raised RuntimeError") as caught:
        signed(ScriptedKey([error]))
    assert caught.value.__cause__ is error
    assert "hunter2" not in str(caught.value)


def test_foreign_exception_is_not_tried_again() -> None:
    key = ScriptedKey([TimeoutError("x")])
    with pytest.raises(PluginContractError):
        signed(key, max_retries=5)
    assert len(key.deadlines) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_the_program_is_passed_on(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        signed(ScriptedKey([error]))
    assert caught.value is error


@pytest.mark.parametrize("result", [None, "signature", bytearray(64), memoryview(b"x"), 5, type("B", (bytes,), {})(64)])
@pytest.mark.parametrize("verify", [True, False])
def test_anything_but_bytes_is_a_broken_contract(result: object, verify: bool) -> None:
    with pytest.raises(PluginContractError, match=r"ScriptedKey\.sign returned .* instead of bytes"):
        signed(ScriptedKey([lambda *_: result]), verify=verify)


def test_signature_that_comes_too_late_is_returned_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()

    def dawdle(message: bytes, _: Deadline) -> bytes:
        clock.advance(3)
        return Ed25519Key().private_key.sign(message)

    way = way_to_sign(ScriptedKey([dawdle] * 3), Attempts(), verify=True)
    for budget in (4, 2, 2):
        way(b"message", Deadline.after(budget, clock=clock))
    way(b"message", NOW)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "tests.keys.ScriptedKey.sign took longer than the 2s that its deadline gave it")
    ]


def test_message_too_large_is_refused_before_any_attempt() -> None:
    class Small(Ed25519Key):
        @property
        def max_message_bytes(self) -> int:
            return 4

    key = Small()
    signed(key, b"1234")
    with pytest.raises(MessageTooLargeError, match=r"^the message has 5 bytes, and this key signs at most 4") as caught:
        signed(key, b"12345", max_retries=3)
    assert (caught.value.limit, caught.value.size) == (4, 5)
    assert len(key.deadlines) == 1


WRONG = Ed25519Key(OTHER_SEED).private_key.sign(b"message")


@pytest.mark.parametrize("wrong", [WRONG, b"", b"\0" * 64])
def test_wrong_signature_is_never_returned(wrong: bytes) -> None:
    key = ScriptedKey([wrong])
    with pytest.raises(SignatureVerificationError, match="it was thrown away"):
        signed(key, verify=True, max_retries=3)
    assert len(key.deadlines) == 1


def test_wrong_signature_is_not_looked_at_without_verify() -> None:
    assert signed(ScriptedKey([WRONG])) == WRONG


def test_right_signature_is_returned_after_verification() -> None:
    key = Ed25519Key()
    assert signed(key, verify=True) == key.private_key.sign(b"message")
