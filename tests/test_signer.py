"""What a Signer promises to an application; the steps it is made of have tests of their own."""

import asyncio
import contextvars
import gc
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from signer_core import Algorithm, Deadline, Signer
from signer_core.errors import (
    BackendUnavailableError,
    DeadlineExceededError,
    KeyMismatchError,
    MessageTooLargeError,
    PluginContractError,
    SignatureVerificationError,
    SignCancelledError,
    SignerClosedError,
    SignError,
)
from signer_core.open_key import OpenKey
from tests.keys import (
    OTHER_SEED,
    PATIENCE,
    Clock,
    ClockedEvent,
    Ed25519Key,
    GatedKey,
    RenewingKey,
    ScriptedKey,
    in_child,
    in_thread,
    refuses_calls,
    until,
)
from tests.strategies import messages


def signature_of(message: bytes) -> bytes:
    return Ed25519Key().private_key.sign(message)


@given(messages)
def test_signature_of_any_message_verifies(message: bytes) -> None:
    with Signer(Ed25519Key()) as signer:
        signature = signer.sign(message)
        signer.public_key.verify(signature, message)
        assert signer.sign_many([message, message]) == [signature, signature]


class Subclass(bytes):
    pass


@pytest.mark.parametrize(
    "message",
    [
        b"abc",
        bytearray(b"abc"),
        memoryview(b"abc"),
        memoryview(b"cba")[::-1],
        memoryview(b"aXbXcX")[::2],
        Subclass(b"abc"),
    ],
)
def test_message_is_bytes_bytearray_or_memoryview(message: Any) -> None:
    seen: list[Any] = []

    def see(message: bytes, _: Deadline) -> bytes:
        seen.append(message)
        return signature_of(message)

    with Signer(ScriptedKey([see] * 3)) as signer:
        assert signer.sign(message) == signature_of(b"abc")
        assert asyncio.run(signer.sign_async(message)) == signature_of(b"abc")
        assert signer.sign_many([message]) == [signature_of(b"abc")]
    assert [(type(each), each) for each in seen] == [(bytes, b"abc")] * 3


@pytest.mark.parametrize("message", ["text", None, 5, [b"abc"], object()])
def test_message_of_another_type_is_a_type_error(message: Any) -> None:
    key = Ed25519Key()
    with Signer(key) as signer:
        for sign in (signer.sign, signer.sign_async, lambda each: signer.sign_many([each])):
            with pytest.raises(TypeError, match="message must be bytes, bytearray or memoryview, not"):
                sign(message)
    assert key.deadlines == []


def test_message_is_copied_at_once() -> None:
    message = bytearray(b"abc")

    def change(copied: bytes, _: Deadline) -> bytes:
        message[:] = b"xyz"
        return signature_of(copied)

    with Signer(ScriptedKey([change])) as signer:
        assert signer.sign(message) == signature_of(b"abc")


def test_message_of_a_task_is_copied_when_it_is_handed_over() -> None:
    async def main() -> bytes:
        message = bytearray(b"abc")
        with Signer(Ed25519Key()) as signer:
            task = asyncio.create_task(signer.sign_async(message))
            message[:] = b"xyz"
            return await task

    assert asyncio.run(main()) == signature_of(b"abc")


def test_facts_of_the_key() -> None:
    key = Ed25519Key(key_id="arn:test")
    signer = Signer(key, name="sequencer", backend="test")
    assert (signer.name, signer.backend, signer.key_id) == ("sequencer", "test", "arn:test")
    assert (signer.public_key, signer.address) == (key.public_key, key.public_key.address)
    assert signer.algorithm is Algorithm.ED25519
    assert repr(signer) == "<Signer name='sequencer' backend='test' key_id='arn:test'>"


def test_facts_are_there_after_the_close() -> None:
    signer = Signer(Ed25519Key())
    signer.close()
    assert signer.public_key == Ed25519Key().public_key
    assert signer.key_id == "test-key"


@pytest.mark.parametrize("key", [None, b"\0" * 32, object(), Ed25519Key])
def test_made_of_a_signing_key_only(key: Any) -> None:
    with pytest.raises(TypeError, match=f"^a Signer is made of a SigningKey, not of {type(key).__name__}$"):
        Signer(key)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("timeout", each) for each in (0, -1, math.nan, "soon", 10**400)),
        *(("attempt_timeout", each) for each in (0, "0s")),
        *(("max_retries", each) for each in (-1, "3", 1.5, None)),
        *(("concurrency", each) for each in (0, -1, 1.5, "4")),
        *(("expected_address", each) for each in ("xyz", "ab", "", 7)),
        *(("expected_public_key", each) for each in ("xyz", "", b"\0" * 32)),
        *(("verify", each) for each in ("no", 0, None)),
        *(("extensions", each) for each in ([object()], "audit")),
    ],
)
def test_option_that_is_not_right_is_a_value_or_type_error_that_names_it(option: str, value: Any) -> None:
    key = Ed25519Key()
    with pytest.raises((ValueError, TypeError), match=f"^{option} (is|must be) "):
        Signer(key, **{option: value})
    assert key.closed == 0


def test_durations_as_in_a_configuration() -> None:
    key = Ed25519Key()
    with Signer(key, timeout="1m30s", attempt_timeout="250ms", clock=Clock()) as signer:
        signer.sign(b"")
    assert key.deadlines[0].seconds == 0.25


def test_pins() -> None:
    key = Ed25519Key()
    Signer(key, expected_address=key.public_key.address.hex(), expected_public_key=key.public_key.raw.hex())
    other = Ed25519Key(OTHER_SEED).public_key
    with pytest.raises(KeyMismatchError):
        Signer(key, expected_address=other.address.hex())
    with pytest.raises(KeyMismatchError):
        Signer(key, expected_public_key=other.to_der().hex())


def test_key_that_breaks_the_contract_is_refused() -> None:
    class Nameless(Ed25519Key):
        @property
        def key_id(self) -> str:
            return ""

    with pytest.raises(PluginContractError, match="key_id"):
        Signer(Nameless())


# --- timeouts, retries, cancellation ---------------------------------------------------------------------------------


def test_no_budget_is_no_limit() -> None:
    key = Ed25519Key()
    Signer(key).sign(b"")
    assert key.deadlines[0].remaining() is None


def test_budget_of_the_call_is_the_key_s_deadline() -> None:
    key = Ed25519Key()
    signer = Signer(key, timeout=10, clock=Clock())
    signer.sign(b"")
    signer.sign(b"", timeout=3)
    signer.sign(b"", timeout=math.inf)
    assert [each.remaining() for each in key.deadlines] == [10, 3, None]


@pytest.mark.parametrize("name", [7, b"sequencer", ["a"]])
def test_a_name_is_a_text(name: Any) -> None:
    with pytest.raises(TypeError, match=rf"^name must be a str or None, not {type(name).__name__}$"):
        Signer(Ed25519Key(), name=name)


@pytest.mark.parametrize("timeout", ["1s", b"1s", True, Decimal(1), [1]])
def test_budget_that_is_no_number_is_a_type_error_that_says_what_is_right(timeout: Any) -> None:
    key = Ed25519Key()
    signer = Signer(key)
    calls: list[Callable[[], object]] = [
        lambda: signer.sign(b"", timeout=timeout),
        lambda: signer.sign_async(b"", timeout=timeout),
        lambda: signer.sign_many([b""], timeout=timeout),
        lambda: signer.sign_iter([b""], timeout=timeout),
    ]
    told = rf"^timeout must be a number of seconds, or math\.inf for no limit, not {type(timeout).__name__}$"
    for call in calls:
        with pytest.raises(TypeError, match=told):
            call()
    assert key.deadlines == []


@pytest.mark.parametrize("timeout", [0, -1, -math.inf, math.nan])
def test_budget_of_nothing_is_a_value_error(timeout: float) -> None:
    key = Ed25519Key()
    signer = Signer(key)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        signer.sign(b"", timeout=timeout)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        signer.sign_many([b""], timeout=timeout)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        asyncio.run(signer.sign_async(b"", timeout=timeout))
    assert key.deadlines == []


def test_budget_may_be_any_number() -> None:
    signer = Signer(Ed25519Key())
    for timeout in (10**400, 1e300, 1e10, threading.TIMEOUT_MAX):
        assert signer.sign(b"", timeout=timeout)
        assert signer.sign_many([b"", b""], timeout=timeout)
        assert asyncio.run(signer.sign_async(b"", timeout=timeout))


def test_budget_in_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        Signer(Ed25519Key()).sign(b"", timeout="10s")  # type: ignore[arg-type]


def test_cancelled_before_the_call_there_is_no_attempt() -> None:
    key = Ed25519Key()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SignCancelledError):
        Signer(key).sign(b"", cancel=cancel)
    assert key.deadlines == []


def test_event_of_asyncio_is_no_cancellation() -> None:
    with pytest.raises(TypeError, match=r"not asyncio\.locks\.Event"):
        Signer(Ed25519Key()).sign(b"", cancel=asyncio.Event())  # type: ignore[arg-type]


def test_cancelled_during_a_pause_the_call_ends_at_once() -> None:
    cancel = threading.Event()
    pausing = threading.Event()

    def jitter(_: float) -> float:
        pausing.set()
        return 10 * PATIENCE

    key = ScriptedKey([BackendUnavailableError("down")])
    signing = in_thread(lambda: Signer(key, max_retries=1, jitter=jitter).sign(b"", cancel=cancel))
    assert pausing.wait(PATIENCE)
    cancel.set()
    with pytest.raises(SignCancelledError):
        signing.result()
    assert len(key.deadlines) == 1


def test_retries_are_the_signer_s_and_say_how_many_there_were() -> None:
    clock = Clock()
    key = ScriptedKey([BackendUnavailableError("down")] * 3)
    signer = Signer(key, max_retries=2, clock=clock, jitter=lambda ceiling: ceiling)
    with pytest.raises(BackendUnavailableError, match=r"down \(gave up after 3 attempts in 0\.3s\)"):
        signer.sign(b"", cancel=ClockedEvent(clock))
    assert signer.sign(b"abc") == signature_of(b"abc")


def test_time_of_an_attempt_is_inside_the_budget_by_the_same_clock() -> None:
    key = Ed25519Key()
    clock = Clock()
    Signer(key, attempt_timeout=3, clock=clock).sign(b"")
    Signer(key, attempt_timeout=3, clock=clock).sign(b"", timeout=2)
    clock.advance(1)
    assert [each.remaining() for each in key.deadlines] == [2, 1]


def test_attempt_that_outlasts_its_time_is_tried_again_until_the_budget_is_over() -> None:
    clock = Clock()

    def slow(_: bytes, deadline: Deadline) -> bytes:
        clock.advance(3)
        deadline.check()
        return b""

    key = ScriptedKey([slow] * 9)
    signer = Signer(key, timeout=10, attempt_timeout=3, max_retries=9, clock=clock, jitter=lambda _: 0.0)
    with pytest.raises(
        DeadlineExceededError, match=r"no success within 10s: 4 attempts in 12s; last: the time budget of"
    ):
        signer.sign(b"")
    assert len(key.deadlines) == 4


def test_verification_is_on_unless_it_is_off() -> None:
    wrong = Ed25519Key(OTHER_SEED).private_key.sign(b"abc")
    for call in (Signer.sign, lambda signer, message: signer.sign_many([message])):
        with pytest.raises(SignatureVerificationError):
            call(Signer(ScriptedKey([wrong])), b"abc")
    with pytest.raises(SignatureVerificationError):
        asyncio.run(Signer(ScriptedKey([wrong])).sign_async(b"abc"))
    assert Signer(ScriptedKey([wrong]), verify=False).sign(b"abc") == wrong


def test_message_too_large_is_refused_in_each_way_to_sign() -> None:
    class Small(Ed25519Key):
        @property
        def max_message_bytes(self) -> int:
            return 4

    key = Small()
    signer = Signer(key, max_retries=3)
    with pytest.raises(MessageTooLargeError):
        signer.sign(b"12345")
    with pytest.raises(MessageTooLargeError):
        signer.sign_many([b"12345"])
    with pytest.raises(MessageTooLargeError):
        asyncio.run(signer.sign_async(b"12345"))
    assert (key.deadlines, signer.max_message_bytes, Signer(Ed25519Key()).max_message_bytes) == ([], 4, None)


# --- many threads ----------------------------------------------------------------------------------------------------


def test_64_threads_share_one_signer() -> None:
    key = Ed25519Key()
    ready = threading.Barrier(64)
    with Signer(key) as signer:

        def sign(number: int) -> list[bytes]:
            ready.wait(PATIENCE)
            return [signer.sign(b"%d %d" % (number, turn)) for turn in range(20)]

        running = [in_thread(lambda number=number: sign(number)) for number in range(64)]  # type: ignore[misc]
        results = [each.result() for each in running]
        assert key.closed == 0
    assert results == [[signature_of(b"%d %d" % (number, turn)) for turn in range(20)] for number in range(64)]
    assert key.closed == 1


# --- closing ---------------------------------------------------------------------------------------------------------


def test_closed_signer_refuses_each_way_to_sign() -> None:
    key = Ed25519Key()
    signer = Signer(key)
    signer.close()
    for call in (
        lambda: signer.sign(b""),
        lambda: signer.sign_many([b""]),
        lambda: signer.sign_many([]),
        lambda: asyncio.run(signer.sign_async(b"")),
    ):
        with pytest.raises(SignerClosedError, match="this signer is closed; open a new one"):
            call()
    assert (key.closed, key.deadlines) == (1, [])


def test_close_twice() -> None:
    key = Ed25519Key()
    signer = Signer(key)
    signer.close()
    signer.close()
    assert key.closed == 1


def test_with_closes() -> None:
    key = Ed25519Key()
    with pytest.raises(LookupError), Signer(key):
        raise LookupError
    assert key.closed == 1


def test_async_with_closes() -> None:
    key = Ed25519Key()

    async def main() -> None:
        async with Signer(key) as signer:
            await signer.sign_async(b"")
            assert key.closed == 0

    asyncio.run(main())
    assert key.closed == 1


CALLS: dict[str, Callable[[Signer], Any]] = {
    "sign": lambda signer: signer.sign(b"abc"),
    "sign_many": lambda signer: signer.sign_many([b"abc"], concurrency=1)[0],
    "sign_many in threads": lambda signer: signer.sign_many([b"abc", b"abc"], concurrency=2)[0],
    "sign_async": lambda signer: asyncio.run(signer.sign_async(b"abc")),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_close_waits_for_a_running_call(call: Callable[[Signer], bytes]) -> None:
    key = GatedKey()
    signer = Signer(key)
    signing = in_thread(lambda: call(signer))
    key.wait_entered()
    closing = in_thread(signer.close)
    until(lambda: refuses_calls(signer))
    with pytest.raises(SignerClosedError):
        signer.sign(b"late")
    assert (closing.is_over, key.closed) == (False, 0)

    key.gate.set()

    closing.result()
    assert signing.result() == signature_of(b"abc")
    assert key.closed == 1


def test_close_waits_for_calls_that_wait_for_a_thread() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=1)

    async def main() -> list[bytes]:
        tasks = [asyncio.create_task(signer.sign_async(b"%d" % number)) for number in range(5)]
        await asyncio.to_thread(key.wait_entered)
        closing = asyncio.create_task(asyncio.to_thread(signer.close))
        await asyncio.to_thread(until, lambda: refuses_calls(signer))
        key.gate.set()
        await closing
        assert len(key.deadlines) == 5
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [signature_of(b"%d" % number) for number in range(5)]
    assert key.closed == 1


def test_many_threads_close_one_signer() -> None:
    key = GatedKey()
    signer = Signer(key)
    signing = in_thread(lambda: signer.sign(b"abc"))
    key.wait_entered()
    closing = [in_thread(signer.close) for _ in range(8)]
    key.gate.set()
    for each in (*closing, signing):
        each.result()
    assert key.closed == 1


def test_close_that_fails_is_told_and_leaves_no_thread() -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            super().close()
            raise OSError("hunter2")

    key = Stuck()
    signer = Signer(key)
    before = set(threading.enumerate())
    asyncio.run(signer.sign_async(b""))
    started = set(threading.enumerate()) - before
    with pytest.raises(PluginContractError, match=r"Stuck\.close raised OSError"):
        signer.close()
    signer.close()
    assert key.closed == 1
    assert len(started) == 1
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_threads_end_with_the_signer() -> None:
    before = set(threading.enumerate())
    with Signer(Ed25519Key()) as signer:
        asyncio.run(signer.sign_async(b""))
        started = set(threading.enumerate()) - before
        assert {each.name.partition("_")[0] for each in started} == {"signer"}
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# --- sign_many -------------------------------------------------------------------------------------------------------


def test_sign_many_keeps_the_order() -> None:
    batch = [b"%d" % number for number in range(200)]
    with Signer(Ed25519Key()) as signer:
        assert signer.sign_many(batch) == [signature_of(each) for each in batch]


def test_sign_many_of_nothing() -> None:
    assert Signer(Ed25519Key()).sign_many([]) == []


def test_sign_many_takes_a_generator_and_copies_what_it_gives() -> None:
    def reused() -> Iterator[bytearray]:
        buffer = bytearray(1)
        for number in range(5):
            buffer[0] = number
            yield buffer

    assert Signer(Ed25519Key()).sign_many(reused()) == [signature_of(bytes([number])) for number in range(5)]


def test_sign_many_passes_on_what_the_generator_raises() -> None:
    def failing() -> Iterator[bytes]:
        yield b""
        raise LookupError

    key = Ed25519Key()
    with pytest.raises(LookupError):
        Signer(key).sign_many(failing())
    assert key.deadlines == []


@pytest.mark.parametrize("batch", [b"abc", "abc", 5, None])
def test_sign_many_of_no_messages_is_a_type_error(batch: Any) -> None:
    with pytest.raises(TypeError):
        Signer(Ed25519Key()).sign_many(batch)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "2"])
def test_sign_many_in_no_threads_is_a_value_error(concurrency: Any) -> None:
    with pytest.raises(ValueError, match="concurrency must be"):
        Signer(Ed25519Key()).sign_many([b""], concurrency=concurrency)


def test_concurrency_is_the_one_that_was_given_or_the_keys_own() -> None:
    class Serving(Ed25519Key):
        @property
        def concurrency(self) -> int:
            return 7

    assert (Signer(Serving()).concurrency, Signer(Serving(), concurrency=3).concurrency) == (7, 3)


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (3, 3), (None, 4), (100, 8)])
def test_sign_many_in_as_many_threads_as_it_may(concurrency: int | None, most: int) -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=4)
    signing = in_thread(lambda: signer.sign_many([b""] * 8, concurrency=concurrency))
    key.wait_entered(most)
    assert key.most_inside == most
    key.gate.set()
    assert len(signing.result()) == 8
    assert key.most_inside == most


def test_sign_many_ends_with_the_first_failure() -> None:
    def fails(*_: Any) -> bytes:
        raise SignError("the first")

    key = ScriptedKey([signature_of(b"0"), fails])
    with pytest.raises(SignError, match="the first"):
        Signer(key).sign_many([b"0", b"1", b"2", b"3"], concurrency=1)
    assert len(key.deadlines) == 2


def test_sign_many_cancels_the_waits_of_the_others() -> None:
    waiting = threading.Event()

    def waits(_: bytes, deadline: Deadline) -> bytes:
        waiting.set()
        deadline.sleep(10 * PATIENCE)
        return b""

    def fails(*_: Any) -> bytes:
        assert waiting.wait(PATIENCE)
        raise SignError("the first")

    class Two(Ed25519Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return waits(message, deadline) if message == b"waits" else fails()

    signing = in_thread(lambda: Signer(Two()).sign_many([b"waits", b"fails", b"never"], concurrency=2))
    with pytest.raises(SignError, match="the first"):
        signing.result()


def test_sign_many_has_one_budget_for_the_batch() -> None:
    clock = Clock()

    def slow(message: bytes, _: Deadline) -> bytes:
        clock.advance(1)
        return signature_of(message)

    key = ScriptedKey([slow] * 9)
    with pytest.raises(DeadlineExceededError, match="the time budget of 3s is used up"):
        Signer(key, clock=clock).sign_many([b""] * 9, concurrency=1, timeout=3)
    assert len(key.deadlines) == 3


@pytest.mark.parametrize("concurrency", [1, 2])
def test_sign_many_passes_on_an_interrupt(concurrency: int) -> None:
    key = ScriptedKey([KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        Signer(key).sign_many([b""] * 50, concurrency=concurrency)
    assert len(key.deadlines) <= 2
    signer = Signer(key)
    signer.close()


def test_interrupt_while_sign_many_waits_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    all_there = threading.Barrier(3)

    def waits(_: bytes, deadline: Deadline) -> None:
        all_there.wait(PATIENCE)
        deadline.sleep(10 * PATIENCE)

    def interrupted(_: object) -> None:
        all_there.wait(PATIENCE)
        raise KeyboardInterrupt

    key = ScriptedKey([waits] * 2)

    monkeypatch.setattr("concurrent.futures.wait", interrupted)
    signer = Signer(key)
    with pytest.raises(KeyboardInterrupt):
        signer.sign_many([b""] * 5, concurrency=2)
    signer.close()
    assert key.closed == 1
    assert len(key.deadlines) == 2


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def test_context_variables_reach_the_threads() -> None:
    seen: list[str] = []

    def see(message: bytes, _: Deadline) -> bytes:
        seen.append(VARIABLE.get())
        return signature_of(message)

    signer = Signer(ScriptedKey([see] * 9))

    async def main() -> None:
        VARIABLE.set("of the task")
        await signer.sign_async(b"")

    token = VARIABLE.set("of the caller")
    signer.sign_many([b""] * 4, concurrency=2)
    VARIABLE.reset(token)
    asyncio.run(main())
    assert seen == ["of the caller"] * 4 + ["of the task"]


# --- sign_async ------------------------------------------------------------------------------------------------------


def run_quietly(main: Callable[[], Any]) -> Any:
    """``asyncio.run(main())``, which must leave nothing for asyncio to complain about."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await main()
        gc.collect()
        return result

    result = asyncio.run(watched())
    gc.collect()
    assert complaints == []
    return result


def test_sign_async_of_many_at_once_in_few_threads() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=3)

    async def main() -> list[bytes]:
        tasks = [asyncio.create_task(signer.sign_async(b"%d" % number)) for number in range(100)]
        await asyncio.to_thread(key.wait_entered, 3)
        key.gate.set()
        return await asyncio.gather(*tasks)

    assert run_quietly(main) == [signature_of(b"%d" % number) for number in range(100)]
    assert key.most_inside == 3


def test_sign_async_does_not_block_the_event_loop() -> None:
    key = GatedKey()

    async def main() -> bytes:
        task = asyncio.create_task(Signer(key).sign_async(b"abc"))
        turns = 0
        while turns < 100:
            turns += 1
            await asyncio.sleep(0)
        assert not task.done()
        key.gate.set()
        return await task

    assert run_quietly(main) == signature_of(b"abc")


def test_sign_async_raises_what_the_key_raises() -> None:
    async def main() -> None:
        with pytest.raises(SignError, match="no"):
            await Signer(ScriptedKey([SignError("no")])).sign_async(b"")

    run_quietly(main)


def test_cancelling_the_task_ends_a_pause_between_attempts() -> None:
    pausing = threading.Event()
    key = ScriptedKey([BackendUnavailableError("down")] * 9)

    def jitter(_: float) -> float:
        pausing.set()
        return 10 * PATIENCE

    signer = Signer(key, max_retries=9, jitter=jitter)

    async def main() -> None:
        task = asyncio.create_task(signer.sign_async(b""))
        await asyncio.to_thread(pausing.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(signer.close)

    run_quietly(main)
    assert (len(key.deadlines), key.closed) == (1, 1)


def test_cancelling_a_task_that_waits_for_a_thread_starts_no_attempt() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=1)

    async def main() -> None:
        first = asyncio.create_task(signer.sign_async(b"first"))
        await asyncio.to_thread(key.wait_entered)
        second = asyncio.create_task(signer.sign_async(b"second"))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        key.gate.set()
        await first
        await asyncio.to_thread(signer.close)

    run_quietly(main)
    assert len(key.deadlines) == 1
    assert key.closed == 1


def test_cancelling_a_task_during_an_attempt_leaves_no_complaint() -> None:
    """The attempt ends by itself, and fails, when nobody waits for it any more."""
    entered, gate = threading.Event(), threading.Event()

    def fails(*_: Any) -> bytes:
        entered.set()
        assert gate.wait(PATIENCE)
        raise SignError("too late for anybody")

    key = ScriptedKey([fails])
    signer = Signer(key)

    async def main() -> None:
        task = asyncio.create_task(signer.sign_async(b""))
        await asyncio.to_thread(entered.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await asyncio.to_thread(signer.close)

    run_quietly(main)
    assert key.closed == 1


def test_cancelling_a_task_whose_failure_has_just_come_leaves_no_complaint() -> None:
    async def main() -> None:
        for turns in range(60):
            signer = Signer(ScriptedKey([SignError("no")]))
            task = asyncio.create_task(signer.sign_async(b""))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, SignError)):
                await task

    run_quietly(main)


def test_deadline_of_a_call_that_waits_for_a_thread() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=1)

    async def main() -> None:
        first = asyncio.create_task(signer.sign_async(b"first"))
        await asyncio.to_thread(key.wait_entered)
        with pytest.raises(DeadlineExceededError, match=r"the call waited 0\.001s for a free thread"):
            await signer.sign_async(b"second", timeout=0.001)
        key.gate.set()
        await first
        await asyncio.to_thread(signer.close)

    run_quietly(main)
    assert (len(key.deadlines), key.closed) == (1, 1)


def test_coroutine_that_is_never_awaited_holds_nothing() -> None:
    key = Ed25519Key()
    signer = Signer(key)
    signer.sign_async(b"").close()
    signer.close()
    assert key.closed == 1


def test_sign_async_when_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> None:
        raise RuntimeError("can't start new thread")

    key = Ed25519Key()
    signer = Signer(key)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuses)
        with pytest.raises(SignError, match="no thread can be started"):
            asyncio.run(signer.sign_async(b""))
    signer.close()
    assert key.closed == 1


def test_close_that_fails_does_not_hide_the_error_that_is_on_its_way() -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError

    with pytest.raises(LookupError), Signer(Stuck()):
        raise LookupError
    with pytest.raises(PluginContractError), Signer(Stuck()):
        pass


def test_interrupt_on_the_way_into_a_call_leaves_no_call_behind() -> None:
    """Else close() would wait for it for ever."""
    key = Ed25519Key()
    signer = Signer(key, timeout=10)

    # The interrupt comes when the call has entered and comes back from there.
    entered = OpenKey.enter

    def enters_and_is_interrupted(self: OpenKey, call: object) -> bool:
        entered(self, call)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(OpenKey, "enter", enters_and_is_interrupted)
        for signs in (
            lambda: signer.sign(b""),
            lambda: signer.sign_many([b""]),
            lambda: asyncio.run(signer.sign_async(b"")),
        ):
            with pytest.raises(KeyboardInterrupt):
                signs()
    signer.close()
    assert key.closed == 1


# --- renewal, as an application sees it ------------------------------------------------------------------------------


def test_renewal_changes_the_key_of_the_next_call() -> None:
    clock = Clock()
    new = Ed25519Key(OTHER_SEED, key_id="new")
    old = RenewingKey(lambda _: new)
    signer = Signer(old, clock=clock)
    assert signer.sign(b"abc") == signature_of(b"abc")
    clock.advance(10)
    assert signer.sign(b"abc") == new.private_key.sign(b"abc")
    assert (signer.public_key, signer.key_id) == (new.public_key, "new")
    assert (old.renewals, old.closed, new.closed) == (1, 1, 0)
    signer.close()
    assert (old.closed, new.closed) == (1, 1)


def test_renewal_in_each_way_to_sign() -> None:
    for call in CALLS.values():
        clock = Clock()
        new = Ed25519Key(OTHER_SEED)
        signer = Signer(RenewingKey(lambda _, new=new: new), clock=clock)  # type: ignore[misc]
        clock.advance(10)
        assert call(signer) == new.private_key.sign(b"abc")
        signer.close()
        assert new.closed == 1


# --- fork ------------------------------------------------------------------------------------------------------------


def test_child_signs_and_closes_while_the_parent_s_threads_are_inside() -> None:
    key = GatedKey()
    signer = Signer(key)
    signing = [in_thread(lambda: signer.sign(b"abc")) for _ in range(4)]
    key.wait_entered(4)

    def child() -> None:
        key.gate = threading.Event()
        key.gate.set()
        key._counting = threading.Lock()
        assert signer.sign(b"abc") == signature_of(b"abc")
        assert asyncio.run(signer.sign_async(b"abc")) == signature_of(b"abc")
        assert signer.sign_many([b"abc"] * 3, concurrency=3) == [signature_of(b"abc")] * 3
        signer.close()
        assert key.closed == 1
        with pytest.raises(SignerClosedError):
            signer.sign(b"abc")

    assert in_child(child) == 0
    key.gate.set()
    assert [each.result() for each in signing] == [signature_of(b"abc")] * 4
    signer.close()
    assert key.closed == 1


def test_child_uses_sign_async_after_the_parent_did() -> None:
    with Signer(Ed25519Key(), concurrency=2) as signer:
        asyncio.run(signer.sign_async(b"abc"))
        assert in_child(lambda: asyncio.run(signer.sign_async(b"abc"))) == 0
        assert asyncio.run(signer.sign_async(b"abc")) == signature_of(b"abc")


def test_child_renews_though_the_parent_was_at_it() -> None:
    clock = Clock()
    entered, gate = threading.Event(), threading.Event()

    def renew(_: Deadline) -> Ed25519Key:
        entered.set()
        assert gate.wait(PATIENCE)
        return Ed25519Key(OTHER_SEED)

    key = RenewingKey(renew)
    signer = Signer(key, clock=clock)
    clock.advance(10)
    signing = in_thread(lambda: signer.sign(b"abc"))
    assert entered.wait(PATIENCE)

    def child() -> None:
        key.renewal = lambda _: Ed25519Key(OTHER_SEED)
        assert signer.sign(b"abc") == Ed25519Key(OTHER_SEED).private_key.sign(b"abc")
        signer.close()

    assert in_child(child) == 0
    gate.set()
    assert signing.result() == Ed25519Key(OTHER_SEED).private_key.sign(b"abc")


def test_child_of_a_parent_that_is_closing() -> None:
    key = GatedKey()
    signer = Signer(key)
    signing = in_thread(lambda: signer.sign(b"abc"))
    key.wait_entered()
    closing = in_thread(signer.close)
    until(lambda: signer._key.open_key.retired)

    def child() -> None:
        with pytest.raises(SignerClosedError):
            signer.sign(b"abc")
        signer.close()
        assert key.closed == 1

    assert in_child(child) == 0
    key.gate.set()
    closing.result()
    signing.result()


def test_forgetting_other_threads_lets_a_close_end() -> None:
    """What happens in the child, without a fork."""
    clock = Clock()
    gated = GatedKey()
    old = RenewingKey(lambda _: gated)
    signer = Signer(old, clock=clock)
    held = signer._key.enter("of another thread, with the old key")
    clock.advance(10)
    signing = in_thread(lambda: signer.sign(b"abc"))
    gated.wait_entered()
    assert (held.key, old.closed) == (old, 0)

    signer.forget_other_threads()
    signer.close()

    assert (old.closed, gated.closed) == (1, 1)
    gated.gate.set()
    signing.result()


def test_call_that_forks_ends_in_parent_and_child() -> None:
    """A key that starts a helper process while it signs, and goes on in both."""
    key = ScriptedKey([])
    signer = Signer(key)

    def forks(message: bytes, _: Deadline) -> bytes:
        def child() -> None:
            signer.sign(b"in the child")
            signer.close()
            assert key.closed == 1

        assert in_child(child) == 0
        return signature_of(message)

    key.script.append(forks)
    assert signer.sign(b"abc") == signature_of(b"abc")
    signer.close()
    assert key.closed == 1


def test_call_that_is_interrupted_when_it_has_just_entered_leaves() -> None:
    class Interrupting(deque[None]):
        def append(self, entry: None) -> None:
            super().append(entry)
            raise KeyboardInterrupt

    key = Ed25519Key()
    signer = Signer(key)
    signer._key.open_key.quick_calls = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        signer.sign(b"abc")
    in_thread(signer.close).result()
    assert key.closed == 1
