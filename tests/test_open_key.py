"""A key in use: who may enter, when it is closed, and the way of a message to its signature."""

import functools
import threading
from typing import Any

import pytest

from signer_core import Deadline, PublicKey, SigningKey
from signer_core.attempts import Attempts
from signer_core.errors import (
    ConfigError,
    InvalidSignatureError,
    KeyFormatError,
    MessageTooLargeError,
    PluginContractError,
    SignatureVerificationError,
    SignError,
)
from signer_core.open_key import OpenKey, check_key, close_unwanted, describe, way_to_sign
from tests.keys import OTHER_SEED, PATIENCE, Ed25519Key, ScriptedKey, in_thread

NOW = Deadline.after(None)


def opened(key: Ed25519Key) -> OpenKey:
    return OpenKey(key, way_to_sign(key, Attempts(), verify=False))


def test_key_is_closed_when_it_is_retired_and_nobody_is_in() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    assert open_key.enter("call")
    open_key.leave("call")
    assert key.closed == 0
    open_key.retire()
    assert key.closed == 1
    open_key.wait_closed()
    assert open_key.is_closed


def test_key_is_closed_when_the_last_call_leaves() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("first")
    open_key.enter("second")
    open_key.retire()
    open_key.leave("first")
    assert (key.closed, open_key.is_closed) == (0, False)
    open_key.leave("second")
    assert (key.closed, open_key.is_closed) == (1, True)


def test_retired_key_takes_no_call() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("running")
    open_key.retire()
    assert open_key.enter("late") is False
    assert open_key.calls == {"running"}
    assert key.closed == 0


def test_key_is_closed_once() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    for _ in range(3):
        open_key.retire()
        open_key.enter("late")
        open_key.leave("late")
    assert key.closed == 1


def test_waiting_for_the_close_ends_with_it() -> None:
    open_key = opened(Ed25519Key())
    open_key.enter("call")
    open_key.retire()
    waiting = in_thread(open_key.wait_closed)
    assert not waiting.is_over
    open_key.leave("call")
    waiting.result()


def test_close_that_fails_is_told_once() -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError("hunter2")

    open_key = opened(Stuck())
    open_key.retire()
    with pytest.raises(PluginContractError, match=r"Stuck failed to close: OSError$"):
        open_key.wait_closed()
    open_key.wait_closed()


def test_close_that_is_interrupted_does_not_keep_others_waiting() -> None:
    class Interrupted(Ed25519Key):
        def close(self) -> None:
            super().close()
            raise KeyboardInterrupt

    key = Interrupted()
    open_key = opened(key)
    with pytest.raises(KeyboardInterrupt):
        open_key.retire()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1


def test_key_that_enters_while_it_closes_is_turned_away() -> None:
    entered: list[bool] = []

    class Curious(Ed25519Key):
        def close(self) -> None:
            entered.append(open_key.enter("from within"))

    open_key = opened(Curious())
    open_key.retire()
    assert entered == [False]


class Race:
    """Threads enter and leave a key while another retires it."""

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.inside_at_close: list[set[int]] = []
        self.ready = threading.Barrier(5)
        race = self

        class Watched(Ed25519Key):
            def close(self) -> None:
                race.inside_at_close.append(set(race.inside))

        self.open_key = opened(Watched())

    def use(self, number: int) -> None:
        self.ready.wait(PATIENCE)
        while self.open_key.enter(number):
            self.inside.add(number)
            self.inside.discard(number)
            self.open_key.leave(number)

    def retire(self) -> None:
        self.ready.wait(PATIENCE)
        self.open_key.retire()


def test_no_call_is_in_when_the_key_is_closed() -> None:
    for _ in range(50):
        race = Race()
        running = [in_thread(functools.partial(race.use, number)) for number in range(4)]
        for each in (*running, in_thread(race.retire)):
            each.result()
        race.open_key.wait_closed()
        assert race.inside_at_close == [set()]


def test_forked_child_forgets_the_calls_of_the_parent() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.enter("of a thread of the parent")
    open_key._changes.acquire()
    open_key.forget_other_threads()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1


def test_forked_child_does_not_close_again_what_the_parent_was_closing() -> None:
    key = Ed25519Key()
    open_key = opened(key)
    open_key.retire()
    open_key.forget_other_threads()
    open_key.retire()
    open_key.wait_closed()
    assert key.closed == 1


def test_close_unwanted_logs_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError("hunter2")

    close_unwanted(Stuck())
    assert [each.getMessage() for each in caplog.records] == [f"{describe(Stuck())} failed to close: OSError"]


def test_check_key_takes_a_key_as_it_should_be() -> None:
    key = Ed25519Key()
    assert check_key(key) is key


@pytest.mark.parametrize("key", [None, object(), "key", Ed25519Key])
def test_check_key_wants_a_signing_key(key: object) -> None:
    with pytest.raises(PluginContractError, match="a SigningKey was expected, not"):
        check_key(key)


def having(name: str, value: object) -> SigningKey:
    return type("Odd", (Ed25519Key,), {name: property(lambda _: value)})()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("key_id", each) for each in ("", None, 5, b"id")),
        *(("public_key", each) for each in (None, "key", b"\0" * 32)),
        *(("max_message_bytes", each) for each in (-1, 1.5, "4096", True, float("nan"))),
        *(("renew_after", each) for each in (-1, float("nan"), "10s", True)),
    ],
)
def test_check_key_refuses_a_property_that_is_not_right(name: str, value: object) -> None:
    with pytest.raises(PluginContractError, match=f"Odd.{name} is .*, and must be"):
        check_key(having(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_message_bytes", each) for each in (None, 0, 4096)),
        *(("renew_after", each) for each in (None, 0, 0.5, 300, float("inf"))),
    ],
)
def test_check_key_takes_what_is_right(name: str, value: object) -> None:
    check_key(having(name, value))


def test_check_key_maps_what_a_property_raises() -> None:
    class Broken(Ed25519Key):
        @property
        def key_id(self) -> str:
            raise LookupError("hunter2")

    with pytest.raises(PluginContractError, match=r"Broken\.key_id raised LookupError"):
        check_key(Broken())


def test_check_key_lets_the_library_s_errors_through() -> None:
    class Damaged(Ed25519Key):
        @property
        def public_key(self) -> PublicKey:
            raise KeyFormatError("damaged")

    with pytest.raises(KeyFormatError, match="damaged"):
        check_key(Damaged())


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


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_what_ends_the_program_is_passed_on(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        signed(ScriptedKey([error]))
    assert caught.value is error


@pytest.mark.parametrize("result", [None, "signature", bytearray(64), memoryview(b"x"), 5, type("B", (bytes,), {})(64)])
@pytest.mark.parametrize("verify", [True, False])
def test_anything_but_bytes_is_a_broken_contract(result: object, verify: bool) -> None:
    with pytest.raises(PluginContractError, match=r"ScriptedKey\.sign returned .* instead of bytes"):
        signed(ScriptedKey([lambda *_: result]), verify=verify)


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
