"""Extensions of a signer made in code: what is asked, what is told, what comes out."""

import asyncio
import gc
import logging
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from signer_core import Deadline, PublicKey, Signer, SignEvent, SigningKey, hookimpl
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    ExtensionError,
    MessageTooLargeError,
    PluginContractError,
    PolicyViolationError,
    SignCancelledError,
    SignerClosedError,
    SignError,
)
from tests.keys import (
    OTHER_SEED,
    PATIENCE,
    SEED,
    Clock,
    Ed25519Key,
    GatedKey,
    RenewingKey,
    ScriptedKey,
    chain_of,
    in_child,
    in_thread,
    refuses_calls,
    until,
)

KEY = Ed25519Key()


class Watching:
    """An extension that writes down what it is asked and told in a list, and then does what a script says."""

    def __init__(
        self,
        name: str = "watching",
        log: list[Any] | None = None,
        *,
        before: Callable[[SignEvent], Any] = lambda _: None,
        after: Callable[[SignEvent, bytes | None, Exception | None], Any] = lambda *_: None,
    ) -> None:
        self.name = name
        self.log = [] if log is None else log
        self.events: list[SignEvent] = []
        self.outcomes: list[tuple[SignEvent, bytes | None, Exception | None]] = []
        self.closed = 0
        self._before = before
        self._after = after

    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> Any:
        self.log.append(f"{self.name} before")
        self.events.append(event)
        return self._before(event)

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
        self.log.append(f"{self.name} after")
        self.outcomes.append((event, signature, error))
        return self._after(event, signature, error)

    def close(self) -> None:
        self.log.append(f"{self.name} close")
        self.closed += 1


def raising(error: BaseException) -> Callable[..., Any]:
    def raises(*_: object) -> None:
        raise error

    return raises


def told(extension: Watching) -> tuple[bytes | None, Exception | None]:
    """The only outcome that the extension was told."""
    [(_, signature, error)] = extension.outcomes
    return signature, error


def sign(*extensions: Watching, key: SigningKey | None = None, **options: Any) -> bytes:
    with Signer(key or Ed25519Key(), extensions={each.name: each for each in extensions}, **options) as signer:
        return signer.sign(b"message")


# --- the way of a call -----------------------------------------------------------------------------------------------


def test_extensions_are_asked_in_order_told_in_reverse_and_closed_in_reverse() -> None:
    log: list[Any] = []
    key = ScriptedKey([lambda *_: log.append("sign")])
    with pytest.raises(PluginContractError, match="returned NoneType instead of bytes"):
        sign(*(Watching(name, log) for name in "cab"), key=key)
    assert log == [
        *("c before", "a before", "b before", "sign", "b after", "a after", "c after"),
        *("b close", "a close", "c close"),
    ]


def test_the_signature_is_the_key_s_and_is_told() -> None:
    watching = Watching()
    signature = sign(watching)
    assert signature == KEY.private_key.sign(b"message")
    assert told(watching) == (signature, None)


def test_the_event_tells_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1234.5)
    watching = Watching()
    sign(watching, name="blocks", backend="vault")
    [event] = watching.events
    assert watching.outcomes[0][0] is event
    assert (event.signer, event.backend, event.key_id, event.public_key) == (
        "blocks",
        "vault",
        "test-key",
        KEY.public_key,
    )
    assert (event.message, event.prehashed, event.size, event.started_at) == (b"message", None, 7, 1234.5)


def test_the_event_cannot_be_changed_for_the_next_extension() -> None:
    def forge(event: Any) -> None:
        event.message = b"another"

    with pytest.raises(ExtensionError, match="FrozenInstanceError"):
        sign(Watching(before=forge))


def test_the_message_of_the_event_is_the_one_that_is_signed_whatever_becomes_of_the_caller_s() -> None:
    message = bytearray(b"message")

    def overwrite(_: object) -> None:
        message[:] = b"changed"

    watching = Watching(before=overwrite)
    with Signer(KEY, extensions={"watching": watching}) as signer:
        signature = signer.sign(message)
        signer.public_key.verify(signature, b"message")
    assert watching.outcomes[0][0].message == b"message"


def test_hooks_run_in_the_thread_of_the_call() -> None:
    threads: list[threading.Thread] = []
    note = lambda *_: threads.append(threading.current_thread())
    extension = Watching(before=note, after=note)
    sign(extension)
    assert threads == [threading.current_thread()] * 2


def test_hooks_are_called_once_however_many_attempts_there_are() -> None:
    watching = Watching()
    key = ScriptedKey([BackendUnavailableError("busy"), BackendUnavailableError("busy")])
    sign(watching, key=key, max_retries=2, jitter=lambda _: 0.0)
    assert len(key.deadlines) == 3
    assert watching.log[:2] == ["watching before", "watching after"]
    assert len(watching.events) == 1


def test_batches_and_tasks_pass_the_extensions_too() -> None:
    watching = Watching()
    with Signer(Ed25519Key(), extensions={"watching": watching}) as signer:
        signer.sign_many([b"a", b"b"])
        asyncio.run(signer.sign_async(b"c"))
    assert {event.message for event in watching.events} == {b"a", b"b", b"c"}
    assert {event.message for event, signature, _ in watching.outcomes if signature} == {b"a", b"b", b"c"}


def test_threads_share_the_extensions() -> None:
    watching = Watching()
    with Signer(Ed25519Key(), extensions={"watching": watching}) as signer:
        running = [in_thread(lambda: signer.sign(b"x")) for _ in range(8)]
        for each in running:
            each.result()
    assert len(watching.outcomes) == 8


def test_a_call_that_is_refused_before_it_reaches_the_key_asks_no_extension() -> None:
    watching = Watching()
    signer = Signer(Ed25519Key(), extensions={"watching": watching})
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SignCancelledError):
        signer.sign(b"x", cancel=cancel)
    signer.close()
    with pytest.raises(SignerClosedError):
        signer.sign(b"x")
    assert watching.log == ["watching close"]


def test_without_extensions_the_way_of_a_message_is_that_of_the_key_alone() -> None:
    with Signer(KEY) as signer, Signer(KEY, extensions={}) as other:
        names = {each._key.open_key.sign.__qualname__ for each in (signer, other)}
    assert names == {"_verified.<locals>.verified"}


# --- one key for each call -------------------------------------------------------------------------------------------


def test_each_call_has_one_key_from_its_before_hooks_to_its_after_hooks() -> None:
    clock = Clock()
    other = RenewingKey(seed=OTHER_SEED, key_id="other")
    key = RenewingKey(lambda _: other)
    signer = Signer(key, clock=clock, extensions={"watching": (watching := Watching())})

    def renew_meanwhile(event: SignEvent) -> None:
        if event.message == b"outer":
            clock.advance(11)
            signer.sign(b"inner")

    watching._before = renew_meanwhile
    signature = signer.sign(b"outer")
    key.public_key.verify(signature, b"outer")
    ids = [(event.message, event.key_id, event.public_key) for event, _, _ in watching.outcomes]
    assert ids == [(b"inner", "other", other.public_key), (b"outer", "test-key", key.public_key)]
    signer.close()
    assert (key.closed, other.closed) == (1, 1)


# --- refusing and failing --------------------------------------------------------------------------------------------


def test_a_refusal_names_the_extension_and_nothing_is_signed() -> None:
    key = Ed25519Key()
    with pytest.raises(PolicyViolationError) as caught:
        sign(Watching("policy", before=raising(PolicyViolationError("no texts", remedy="sign blocks"))), key=key)
    assert str(caught.value) == "extension 'policy' refused: no texts; sign blocks"
    assert (caught.value.extension, caught.value.code, caught.value.retryable) == ("policy", "policy-violation", False)
    assert key.deadlines == []
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.extension) == (str(caught.value), "policy")


def test_after_a_refusal_no_other_extension_is_asked_and_all_are_told() -> None:
    log: list[Any] = []
    error = PolicyViolationError("no")
    extensions = [Watching("a", log), Watching("b", log, before=raising(error)), Watching("c", log)]
    with pytest.raises(PolicyViolationError):
        sign(*extensions)
    assert log[:5] == ["a before", "b before", "c after", "b after", "a after"]
    assert [told(each) for each in extensions] == [(None, error)] * 3


def test_a_refusal_of_an_author_s_own_kind_stays_what_it_is() -> None:
    class QuotaError(PolicyViolationError):
        """With a field of its own."""

        def __init__(self, limit: int) -> None:
            super().__init__(f"more than {limit}")
            self.limit = limit

    with pytest.raises(QuotaError, match=r"^extension 'quota' refused: more than 5$") as caught:
        sign(Watching("quota", before=raising(QuotaError(5))))
    assert (caught.value.limit, caught.value.extension) == (5, "quota")


def test_a_refusal_that_is_raised_again_and_again_names_the_extension_once() -> None:
    refusal = PolicyViolationError("no")
    with Signer(KEY, extensions={"policy": Watching(before=raising(refusal))}) as signer:
        for _ in range(3):
            with pytest.raises(PolicyViolationError, match=r"^extension 'policy' refused: no$"):
                signer.sign(b"x")


FAILURES = [
    (RuntimeError("hunter2"), "extension 'x' failed: {} raised RuntimeError"),
    (SystemExit("hunter2"), "extension 'x' failed: {} raised SystemExit"),
    (RecursionError(), "extension 'x' failed: {} raised RecursionError"),
    (ExtensionError("the disk is full", remedy="make room"), "extension 'x' failed: the disk is full; make room"),
    (ConfigError("no token", remedy="set it"), "extension 'x' failed: no token; set it"),
    (SignCancelledError("stopped"), "extension 'x' failed: stopped"),
    (DeadlineExceededError("slow"), "extension 'x' failed: slow"),
    (PluginContractError("the plugin is broken"), "extension 'x' failed: the plugin is broken"),
]


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_a_failure_before_signing_names_the_extension_and_nothing_is_signed(error: BaseException, text: str) -> None:
    key, other = Ed25519Key(), Watching("other")
    with pytest.raises(ExtensionError) as caught:
        sign(other, Watching("x", before=raising(error)), key=key)
    assert str(caught.value) == text.format("signer_before_sign")
    assert caught.value.extension == "x"
    assert error in chain_of(caught.value)
    assert told(other) == (None, caught.value)
    assert key.deadlines == []


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_a_failure_after_signing_withholds_the_signature(error: BaseException, text: str) -> None:
    with pytest.raises(ExtensionError) as caught:
        sign(Watching("x", after=raising(error)))
    assert str(caught.value) == text.format("signer_after_sign")
    assert caught.value.extension == "x"
    assert error in chain_of(caught.value)


@pytest.mark.parametrize("hook", ["before", "after"])
def test_whether_a_failed_extension_may_succeed_later_is_what_its_error_says(hook: str) -> None:
    for error in (BackendUnavailableError("no answer"), ExtensionError("no answer", retryable=True)):
        extension = Watching(before=raising(error)) if hook == "before" else Watching(after=raising(error))
        with pytest.raises(ExtensionError) as caught:
            sign(extension, max_retries=3, jitter=lambda _: 0.0)
        assert caught.value.retryable


def test_extensions_are_not_asked_again_for_what_is_retryable() -> None:
    watching = Watching(before=raising(BackendUnavailableError("no answer")))
    with pytest.raises(ExtensionError):
        sign(watching, max_retries=3, jitter=lambda _: 0.0)
    assert len(watching.events) == 1


def test_a_refusal_after_signing_withholds_the_signature_too() -> None:
    with pytest.raises(PolicyViolationError, match=r"^extension 'policy' refused: once is enough$"):
        sign(Watching("policy", after=raising(PolicyViolationError("once is enough"))))


def test_text_of_a_foreign_exception_stays_in_its_own_traceback() -> None:
    with pytest.raises(ExtensionError) as caught:
        sign(Watching(before=raising(RuntimeError("hunter2"))))
    assert "hunter2" not in f"{caught.value} {vars(caught.value)}"
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("answer", [False, True, "no", 0])
@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_hook_that_returns_something_approves_of_nothing(hook: str, answer: object) -> None:
    answering = lambda *_: answer
    with pytest.raises(PluginContractError) as caught:
        sign(Watching("policy", before=answering) if hook == "before" else Watching("policy", after=answering))
    assert str(caught.value).startswith(
        f"extension 'policy' is broken: signer_{hook}_sign returned {type(answer).__name__} instead of None"
    )


def test_a_hook_that_returns_a_coroutine_approves_of_nothing() -> None:
    async def decide() -> None:
        """Nobody awaits it."""

    coroutines: list[Any] = []

    def late(_: object) -> Any:
        coroutines.append(decide())
        return coroutines[0]

    with pytest.raises(PluginContractError, match="returned coroutine instead of None"):
        sign(Watching(before=late))
    coroutines[0].close()


# --- outcomes --------------------------------------------------------------------------------------------------------


class Small(Ed25519Key):
    @property
    def max_message_bytes(self) -> int:
        return 4


@pytest.mark.parametrize(
    ("key", "options", "kind"),
    [
        (ScriptedKey([AccessDeniedError("no")]), {}, AccessDeniedError),
        (ScriptedKey([BackendUnavailableError("x")] * 3), {"max_retries": 2}, BackendUnavailableError),
        (ScriptedKey([b"\0" * 64]), {}, SignError),
        (ScriptedKey([RuntimeError("x")]), {}, PluginContractError),
        (ScriptedKey([None]), {}, PluginContractError),
        (Small(), {}, MessageTooLargeError),
    ],
)
def test_every_error_is_told(key: SigningKey, options: dict[str, Any], kind: type[Exception]) -> None:
    watching = Watching()
    with pytest.raises(kind) as caught:
        sign(watching, key=key, jitter=lambda _: 0.0, **options)
    assert told(watching) == (None, caught.value)
    assert len(watching.events) == 1


def test_the_time_of_extensions_counts() -> None:
    clock, key = Clock(), Ed25519Key()
    slow, watching = Watching("slow", before=lambda _: clock.advance(11)), Watching()
    with pytest.raises(DeadlineExceededError) as caught:
        sign(watching, slow, key=key, timeout=10, clock=clock)
    assert key.deadlines == []
    assert told(watching) == (None, caught.value)


def test_a_call_that_is_cancelled_while_an_extension_is_asked_is_not_signed() -> None:
    cancel, key = threading.Event(), Ed25519Key()
    watching = Watching(before=lambda _: cancel.set())
    with Signer(key, extensions={"watching": watching}) as signer, pytest.raises(SignCancelledError) as caught:
        signer.sign(b"x", cancel=cancel)
    assert key.deadlines == []
    assert told(watching) == (None, caught.value)


def test_a_signature_that_is_made_is_returned_however_long_it_takes_to_record() -> None:
    clock = Clock()
    assert sign(Watching(after=lambda *_: clock.advance(11)), timeout=10, clock=clock)


def test_the_first_failure_of_a_batch_is_told_to_who_was_asked() -> None:
    watching = Watching()
    key = ScriptedKey([AccessDeniedError("no")])
    with Signer(key, extensions={"watching": watching}) as signer, pytest.raises(AccessDeniedError) as caught:
        signer.sign_many([b"a", b"b", b"c"], concurrency=1)
    assert told(watching) == (None, caught.value)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()])
def test_a_call_that_an_interrupt_breaks_off_is_told_as_cancelled(interrupt: BaseException) -> None:
    watching = Watching()
    with pytest.raises(type(interrupt)) as caught:
        sign(watching, key=ScriptedKey([interrupt]))
    assert caught.value is interrupt
    signature, error = told(watching)
    assert signature is None
    assert isinstance(error, SignCancelledError)
    assert str(error) == f"the call was broken off by {type(interrupt).__name__}; the key may have signed"


def test_an_interrupt_in_an_extension_is_the_user_s_and_is_told_to_all() -> None:
    first, second = Watching("a"), Watching("b", before=raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        sign(first, second)
    assert [type(told(each)[1]) for each in (first, second)] == [SignCancelledError] * 2


def test_an_interrupt_after_the_signature_withholds_it_and_is_told_to_the_rest() -> None:
    first, second = Watching("a"), Watching("b", after=raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        sign(first, second)
    assert isinstance(told(first)[1], SignCancelledError)


def test_an_interrupt_wins_over_failures_which_become_its_notes() -> None:
    extensions = Watching("a", after=raising(KeyboardInterrupt())), Watching("b", after=raising(OSError()))
    with pytest.raises(KeyboardInterrupt) as caught:
        sign(*extensions)
    assert caught.value.__notes__ == ["extension 'b' failed: signer_after_sign raised OSError"]


# --- several failures ------------------------------------------------------------------------------------------------


def test_of_several_failures_after_signing_the_first_wins_and_the_others_become_its_notes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    extensions = [Watching(name, after=raising(ExtensionError(name.upper()))) for name in "abc"]
    with caplog.at_level(logging.WARNING, "signer_core"), pytest.raises(ExtensionError) as caught:
        sign(*extensions)
    assert str(caught.value) == "extension 'c' failed: C"
    assert caught.value.__notes__ == ["extension 'b' failed: B", "extension 'a' failed: A"]
    assert [record.getMessage() for record in caplog.records] == [
        "besides ExtensionError: extension 'b' failed: B",
        "besides ExtensionError: extension 'a' failed: A",
    ]


def test_who_is_told_after_a_failure_is_told_the_error_that_will_be_raised() -> None:
    first, second, third = Watching("a"), Watching("b", after=raising(OSError())), Watching("c")
    with pytest.raises(ExtensionError) as caught:
        sign(first, second, third)
    assert told(third)[1] is None
    assert told(third)[0] == told(second)[0] == KEY.private_key.sign(b"message")
    assert told(first) == (None, caught.value)


def test_the_call_s_own_error_wins_over_the_failures_to_record_it() -> None:
    error = AccessDeniedError("no")
    with pytest.raises(AccessDeniedError) as caught:
        sign(Watching("a", after=raising(OSError())), key=ScriptedKey([error]))
    assert caught.value is error
    assert error.__notes__ == ["extension 'a' failed: signer_after_sign raised OSError"]


@pytest.mark.parametrize("hook", ["before", "after"])
def test_an_error_leaves_no_garbage_for_the_collector(hook: str) -> None:
    events: list[weakref.ref[SignEvent]] = []

    class Failing:
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            events.append(weakref.ref(event))
            if hook == "before":
                raise OSError

        @hookimpl
        def signer_after_sign(self) -> None:
            raise OSError

    gc.collect()
    gc.disable()
    try:
        with attached(Failing()) as signer:
            with pytest.raises(ExtensionError):
                signer.sign(b"x")
            assert [each() for each in events] == [None]
    finally:
        gc.enable()


# --- what may be attached --------------------------------------------------------------------------------------------


def attached(extension: object) -> Signer:
    return Signer(Ed25519Key(), extensions={"x": extension})


def refused(extension: object) -> str:
    with pytest.raises(PluginContractError) as caught:
        attached(extension)
    text = str(caught.value)
    assert text.startswith("extension 'x' is broken: ")
    return text


def test_parameters_may_be_fewer_and_in_any_order() -> None:
    seen: list[Any] = []

    class Nothing:
        @hookimpl
        def signer_before_sign(self) -> None:
            seen.append(())

        @hookimpl
        def signer_after_sign(self) -> None:
            seen.append(())

    class One:
        @hookimpl
        def signer_after_sign(self, error: Exception | None) -> None:
            seen.append(error)

    class Two:
        @hookimpl
        def signer_after_sign(self, signature: bytes, event: SignEvent) -> None:
            seen.append((signature, event.message))

    class All:
        @hookimpl
        def signer_after_sign(self, error: Exception | None, event: SignEvent, signature: bytes) -> None:
            seen.append((error, event.message, signature))

    with Signer(KEY, extensions={"a": Nothing(), "b": One(), "c": Two(), "d": All()}) as signer:
        signature = signer.sign(b"x")
    assert seen == [(), (None, b"x", signature), (signature, b"x"), None, ()]


def test_a_method_may_have_another_name_than_its_hook() -> None:
    class Policy:
        @hookimpl(specname="signer_before_sign")
        def decide(self, event: SignEvent) -> None:
            raise PolicyViolationError("no")

    with attached(Policy()) as signer, pytest.raises(PolicyViolationError):
        signer.sign(b"x")


@pytest.mark.parametrize("extension", [None, object(), 5, {}, Watching, Deadline.after(1)])
def test_something_without_hooks_is_not_attached(extension: object) -> None:
    text = refused(extension)
    assert "instead of an object with hooks" in text or "neither signer_before_sign nor signer_after_sign" in text


def test_a_hook_that_was_not_marked_is_not_overlooked() -> None:
    class Policy:
        def signer_before_sign(self, event: SignEvent) -> None:
            raise PolicyViolationError("no")

        @hookimpl
        def signer_after_sign(self) -> None:
            pass

    assert "signer_before_sign lacks the mark hookimpl" in refused(Policy())


def test_a_hook_that_is_misspelled_is_not_overlooked() -> None:
    class Policy:
        token = "hunter2"

        @hookimpl
        def signer_before_sing(self, event: SignEvent) -> None:
            raise PolicyViolationError("no")

        def __repr__(self) -> str:
            return f"Policy(token={self.token})"

    text = refused(Policy())
    assert "unknown hook 'signer_before_sing'" in text
    assert "hunter2" not in text


def test_a_parameter_that_there_is_not() -> None:
    class Policy:
        @hookimpl
        def signer_before_sign(self, event: SignEvent, message: bytes) -> None:
            pass

    assert "message" in refused(Policy())


@pytest.mark.parametrize(
    "mark", [hookimpl(tryfirst=True), hookimpl(trylast=True), hookimpl(wrapper=True), hookimpl(hookwrapper=True)]
)
def test_no_extension_can_swallow_another_s_veto(mark: Any) -> None:
    class Policy:
        @mark  # type: ignore[untyped-decorator]
        def signer_before_sign(self, event: SignEvent) -> Any:
            yield

    assert "signer_before_sign is" in refused(Policy())


def test_a_coroutine_function_is_never_awaited_and_so_not_attached() -> None:
    class Policy:
        @hookimpl
        async def signer_before_sign(self, event: SignEvent) -> None:
            pass

    assert "is a coroutine function, and is not awaited" in refused(Policy())


def test_properties_of_an_extension_that_break_are_a_broken_contract() -> None:
    class Policy:
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            pass

        @property
        def close(self) -> None:
            raise RuntimeError

    assert "raised RuntimeError" in refused(Policy())  # before pluggy 1.7 all attributes are read at once


async def _late() -> None:
    pass


@pytest.mark.parametrize("close", [5, "yes", _late])
def test_close_must_be_a_function(close: object) -> None:
    class Policy:
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            pass

    extension = Policy()
    extension.close = close  # type: ignore[attr-defined]
    assert "close is not a function that can be called, and not awaited" in refused(extension)


# --- closing ---------------------------------------------------------------------------------------------------------


def test_extensions_without_close_are_left_alone() -> None:
    class Policy:
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> None:
            pass

    attached(Policy()).close()


def test_close_waits_for_running_calls_and_then_closes_each_extension_once() -> None:
    watching, key = Watching(), GatedKey()
    signer = Signer(key, extensions={"watching": watching})
    signing = in_thread(lambda: signer.sign(b"x"))
    key.wait_entered()
    closing = [in_thread(signer.close) for _ in range(2)]
    until(lambda: refuses_calls(signer))
    assert watching.log == ["watching before"]
    key.gate.set()
    signing.result()
    for each in closing:
        each.result()
    signer.close()
    assert watching.log == ["watching before", "watching after", "watching close"]


def test_a_second_close_waits_for_the_first_one_to_close_the_extensions() -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(Watching):
        def close(self) -> None:
            entered.set()
            assert go.wait(PATIENCE)
            super().close()

    slow = Slow()
    signer = attached(slow)
    closing = in_thread(signer.close)
    assert entered.wait(PATIENCE)
    closed_by_then: list[int] = []

    def close_too() -> None:
        signer.close()
        closed_by_then.append(slow.closed)

    second = in_thread(close_too)
    go.set()
    closing.result()
    second.result()
    assert closed_by_then == [1]


class Unclosable(Watching):
    def close(self) -> None:
        super().close()
        raise OSError("hunter2")


def test_each_extension_is_closed_and_the_first_failure_raised_once(caplog: pytest.LogCaptureFixture) -> None:
    key = Ed25519Key()
    extensions = {name: Unclosable(name) for name in "ab"}
    signer = Signer(key, extensions=extensions)
    with caplog.at_level(logging.WARNING, "signer_core"), pytest.raises(PluginContractError) as caught:
        signer.close()
    signer.close()
    assert str(caught.value).startswith("extension 'b' is broken: close raised OSError")
    assert [key.closed, *(each.closed for each in extensions.values())] == [1, 1, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "extension 'b' failed to close: OSError",
        "extension 'a' failed to close: OSError",
    ]


def test_a_key_that_fails_to_close_keeps_no_extension_open() -> None:
    class Odd(Ed25519Key):
        def close(self) -> None:
            raise OSError

    watching = Watching()
    with pytest.raises(PluginContractError, match=r"Odd\.close raised OSError"):
        Signer(Odd(), extensions={"watching": watching}).close()
    assert watching.closed == 1


def test_the_error_of_a_block_wins_over_those_of_closing() -> None:
    with pytest.raises(ZeroDivisionError), attached(Unclosable()):
        1 / 0


# --- after a fork ----------------------------------------------------------------------------------------------------


def test_a_forked_child_asks_the_extensions_too() -> None:
    watching = Watching(before=raising(PolicyViolationError("no")))
    signer = attached(watching)

    def child() -> None:
        with pytest.raises(PolicyViolationError):
            signer.sign(b"x")
        signer.close()
        assert watching.closed == 1

    assert in_child(child) == 0
    assert watching.log == []
    signer.close()
    assert watching.closed == 1


def test_a_child_that_is_forked_while_extensions_are_closed_can_close_its_own() -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(Watching):
        def close(self) -> None:
            entered.set()
            assert go.wait(PATIENCE)

    first = Watching("first")
    signer = Signer(Ed25519Key(), extensions={"first": first, "slow": Slow()})
    closing = in_thread(signer.close)
    assert entered.wait(PATIENCE)

    def child() -> None:
        signer.close()
        assert first.closed == 1

    assert in_child(child) == 0
    go.set()
    closing.result()


def test_a_signer_in_code_with_the_same_seed_signs_alike_with_and_without_extensions() -> None:
    assert PublicKey.from_cryptography(KEY.private_key.public_key()) == KEY.public_key
    assert sign(Watching(), key=Ed25519Key(SEED)) == sign(key=Ed25519Key(SEED))
