"""Batches: sign_iter as applications use it, and what Signer's tests do not reach of sign_many's."""

import contextlib
import contextvars
import gc
import itertools
import os
import signal
import sys
import threading
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Deadline, Signer, create_signer
from signer_core.batches import in_order
from signer_core.errors import DeadlineExceededError, SignerClosedError, SignError
from tests.conftest import Install
from tests.keys import (
    PATIENCE,
    Clock,
    Ed25519Key,
    GatedKey,
    MeetingKey,
    RenewingKey,
    ScriptedKey,
    Threads,
    in_child,
    in_thread,
    until,
)


def signature_of(message: bytes) -> bytes:
    return Ed25519Key().private_key.sign(message)


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


class Source:
    """An iterator of messages without an end, which counts what was taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.taken += 1
        return b"%d" % (self.taken - 1)


class FailingKey(Ed25519Key):
    """A key that signs all messages but one."""

    def __init__(self, failing: bytes, error: BaseException | None = None) -> None:
        super().__init__()
        self.failing = failing
        self.error = SignError("not this one") if error is None else error
        self.signed: list[bytes] = []

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        if message == self.failing:
            raise self.error
        self.signed.append(message)
        return super().sign(message, deadline)


@given(st.lists(st.binary(max_size=3), max_size=12), st.integers(1, 5))
def test_in_order(items: list[bytes], concurrency: int) -> None:
    results = in_order(lambda item: item * 2, items, concurrency=concurrency, cancel=threading.Event())
    assert results == [item * 2 for item in items]


@given(st.integers(1, 12), st.integers(0, 11), st.integers(1, 5))
def test_in_order_raises_the_first_failure_and_cancels(size: int, failing: int, concurrency: int) -> None:
    cancel = threading.Event()

    def function(item: bytes) -> bytes:
        if item[0] == failing % size:
            raise LookupError(item[0])
        return item

    with pytest.raises(LookupError, match=str(failing % size)):
        in_order(function, [bytes([number]) for number in range(size)], concurrency=concurrency, cancel=cancel)
    assert cancel.is_set()


@pytest.mark.parametrize("threads", [0, 1, 2, 3])
@pytest.mark.parametrize("way", [Signer.sign_many, Signer.sign_iter])
def test_as_few_threads_as_the_system_has_will_do(
    way: Callable[..., Iterable[bytes]], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, left = threading.Thread.start, iter(range(threads))

    def limited(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    ended = Threads()
    with Signer(Ed25519Key(), concurrency=4) as signer, monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", limited)
        assert list(way(signer, numbered(20))) == [signature_of(each) for each in numbered(20)]
    ended.wait_ended()


# --- sign_iter -------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=3), max_size=20), st.integers(1, 5), st.none() | st.integers(1, 30))
def test_signatures_come_in_the_messages_order(batch: list[bytes], concurrency: int, lookahead: int | None) -> None:
    with Signer(Ed25519Key()) as signer:
        signatures = signer.sign_iter(iter(batch), concurrency=concurrency, lookahead=lookahead)
        assert list(signatures) == [signature_of(each) for each in batch]


@given(st.integers(0, 15), st.integers(1, 5), st.integers(1, 20))
def test_failure_comes_at_its_place_and_is_the_last(failing: int, concurrency: int, lookahead: int) -> None:
    key = FailingKey(b"%d" % failing)
    signatures = Signer(key).sign_iter(numbered(16), concurrency=concurrency, lookahead=lookahead)
    given_out = list(itertools.islice(signatures, failing))
    with pytest.raises(SignError, match="not this one"):
        next(signatures)
    assert given_out == [signature_of(each) for each in numbered(failing)]
    assert list(signatures) == []


@given(st.integers(0, 15), st.integers(1, 5), st.integers(1, 20))
def test_error_out_of_the_messages_is_passed_on_at_its_place(size: int, concurrency: int, lookahead: int) -> None:
    error = LookupError("no more")

    def failing() -> Iterator[bytes]:
        yield from numbered(size)
        raise error

    signatures = Signer(Ed25519Key()).sign_iter(failing(), concurrency=concurrency, lookahead=lookahead)
    assert list(itertools.islice(signatures, size)) == [signature_of(each) for each in numbered(size)]
    with pytest.raises(LookupError) as raised:
        next(signatures)
    assert raised.value is error
    assert list(signatures) == []


def test_message_of_another_type_is_a_type_error_at_its_place() -> None:
    messages: list[Any] = [b"0", "text"]
    signatures = Signer(Ed25519Key()).sign_iter(messages)
    assert next(signatures) == signature_of(b"0")
    with pytest.raises(TypeError, match="message must be bytes"):
        next(signatures)


def test_nothing_is_begun_after_a_failure() -> None:
    key = FailingKey(b"1")
    source = Source()
    signatures = Signer(key).sign_iter(source, concurrency=1, lookahead=3)
    assert next(signatures) == signature_of(b"0")
    with pytest.raises(SignError):
        next(signatures)
    assert key.signed == [b"0"]
    assert source.taken <= 4


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"messages": None}, TypeError),
        ({"messages": 5}, TypeError),
        ({"concurrency": 0}, ValueError),
        ({"concurrency": "2"}, ValueError),
        ({"lookahead": 0}, ValueError),
        ({"lookahead": 1.5}, ValueError),
        ({"lookahead": True}, ValueError),
        ({"timeout": 0}, ValueError),
        ({"timeout": "1s"}, TypeError),
    ],
)
def test_what_is_wrong_with_the_arguments_is_raised_at_once(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Signer(Ed25519Key()).sign_iter(**{"messages": [b""], **arguments})


def test_closed_signer_refuses_at_once() -> None:
    signer = Signer(Ed25519Key())
    signer.close()
    with pytest.raises(SignerClosedError):
        signer.sign_iter([])


MEETING = """
KEYS = []

@attrs.frozen(kw_only=True)
class Options:
    attempts: int
    at_once: int | None = None

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Options, remote={remote})

@hookimpl
def signer_open(config):
    KEYS.append(MeetingKey(config.attempts, concurrency=config.at_once))
    return KEYS[-1]
"""


def in_flight(install: Install, name: str, *, remote: bool = False, **options: Any) -> int:
    """How many attempts a batch made at once with a configured key, where all of them wait for ``attempts``."""
    install(distribution=f"signer-{name}", source=MEETING.format(remote=remote), name=name, module=f"signer_{name}")
    with create_signer({"backend": name, **options}) as signer:
        batch = numbered(4 * options["attempts"])
        assert signer.sign_many(batch) == [signature_of(message) for message in batch]
    most_inside: int = sys.modules[f"signer_{name}"].KEYS[0].most_inside
    return most_inside


@pytest.fixture
def one_core() -> Iterator[None]:
    """Let this thread, and those that it starts, have one core only."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


def test_batch_of_a_local_key_takes_all_cores(install: Install) -> None:
    cores = len(os.sched_getaffinity(0))
    assert in_flight(install, "local", attempts=cores) == cores


def test_batch_of_a_key_made_in_code_is_one_of_a_remote_key() -> None:
    key = MeetingKey(64)
    with Signer(key) as signer:
        signer.sign_many(numbered(128))
    assert key.most_inside == 64


@pytest.mark.usefixtures("one_core")
def test_batch_of_a_local_key_takes_no_more_cores_than_it_may_have(install: Install) -> None:
    assert in_flight(install, "lonely", attempts=1) == 1


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("at_once", [1, 7])
def test_batch_has_as_many_calls_in_flight_as_the_key_serves(install: Install, at_once: int, remote: bool) -> None:
    assert in_flight(install, "serving", remote=remote, attempts=at_once, at_once=at_once) == at_once


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 30))
def test_no_more_messages_are_taken_than_it_may_look_ahead(concurrency: int, lookahead: int, count: int) -> None:
    source = Source()
    with contextlib.closing(
        Signer(Ed25519Key()).sign_iter(source, concurrency=concurrency, lookahead=lookahead)
    ) as signatures:
        for given_out, _ in enumerate(itertools.islice(signatures, count)):
            assert source.taken - given_out <= lookahead


class EchoingKey(Ed25519Key):
    """A key whose signatures begin with the first bytes of the message."""

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        return message[:8].ljust(64)


def most_memory(count: int, *, concurrency: int = 3) -> int:
    """The most bytes that a stream of so many messages of 16 KiB took, while it was in order and not far ahead."""
    source = Source()
    messages = (message.ljust(16 * 1024) for message in itertools.islice(source, count))
    with Signer(EchoingKey(), verify=False) as signer:
        tracemalloc.start()
        try:
            for given_out, signature in enumerate(signer.sign_iter(messages, concurrency=concurrency)):
                assert signature == (b"%d" % given_out).ljust(64)
                assert source.taken - given_out <= 4 * concurrency
            assert source.taken == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_stream_takes_no_more_memory_for_ten_times_as_many_messages() -> None:
    most_memory(100)  # the first one imports
    assert most_memory(4000) <= most_memory(400) + 64 * 1024


def test_looking_ahead_by_one_a_message_may_depend_on_the_signature_before() -> None:
    last = [b"first"]

    def chained() -> Iterator[bytes]:
        while True:
            yield last[0]

    chain = []
    signatures = Signer(Ed25519Key()).sign_iter(chained(), lookahead=1)
    for _ in range(3):
        last[0] = next(signatures)
        chain.append(last[0])
    first = signature_of(b"first")
    assert chain == [first, signature_of(first), signature_of(signature_of(first))]


def test_messages_that_come_slowly_are_signed_meanwhile() -> None:
    """The source waits until its own last message is signed, though nobody has asked for that signature."""
    key = GatedKey()
    key.gate.set()

    def slow() -> Iterator[bytes]:
        yield b"0"
        key.wait_entered()
        yield b"1"
        key.wait_entered()

    with Signer(key) as signer:
        signatures = in_thread(lambda: list(signer.sign_iter(slow(), concurrency=2, lookahead=4)))
        assert signatures.result() == [signature_of(b"0"), signature_of(b"1")]


def test_result_that_is_there_waits_for_one_more_message_at_most() -> None:
    key = GatedKey()
    key.gate.set()
    source = Source()

    def slow() -> Iterator[bytes]:
        for message in source:
            if message != b"0":
                key.wait_entered()
                until(lambda: key.inside == 0)
            yield message

    with contextlib.closing(Signer(key).sign_iter(slow(), concurrency=2, lookahead=100)) as signatures:
        for _ in range(5):
            next(signatures)
        assert source.taken <= 10


def test_message_is_signed_before_the_next_one_is_taken_where_one_thread_does_both() -> None:
    source = Source()
    with contextlib.closing(Signer(Ed25519Key()).sign_iter(source, concurrency=1, lookahead=4)) as signatures:
        next(signatures)
        assert source.taken == 1


def test_messages_are_copied_when_they_are_taken() -> None:
    def reused() -> Iterator[bytearray]:
        buffer = bytearray(1)
        for number in range(50):
            buffer[0] = number
            yield buffer

    signatures = Signer(Ed25519Key()).sign_iter(reused(), concurrency=3)
    assert list(signatures) == [signature_of(bytes([number])) for number in range(50)]


@pytest.mark.parametrize(("concurrency", "lookahead", "most"), [(1, 9, 1), (3, 9, 3), (9, 4, 4), (None, None, 4)])
def test_as_many_at_once_as_there_may_be(concurrency: int | None, lookahead: int | None, most: int) -> None:
    threads = Threads()
    key = GatedKey()
    signer = Signer(key, concurrency=4)
    signing = in_thread(lambda: list(signer.sign_iter([b""] * 20, concurrency=concurrency, lookahead=lookahead)))
    key.wait_entered(most)
    assert key.most_inside == most
    assert len(threads) <= most
    key.gate.set()
    assert len(signing.result()) == 20
    assert key.most_inside == most


def test_closing_cancels_the_waits_and_leaves_nothing_behind() -> None:
    threads = Threads()
    waiting = threading.Event()

    def waits(_: bytes, deadline: Deadline) -> bytes:
        waiting.set()
        deadline.sleep(10 * PATIENCE)
        return b""

    class Key(Ed25519Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return super().sign(message, deadline) if message == b"0" else waits(message, deadline)

    key = Key()
    signer = Signer(key)

    def messages() -> Iterator[bytes]:
        yield b"0"
        yield b"1"
        assert waiting.wait(PATIENCE)

    signatures = signer.sign_iter(messages(), concurrency=3, lookahead=2)
    assert next(signatures) == signature_of(b"0")
    signatures.close()
    signer.close()
    assert key.closed == 1
    threads.wait_ended()


def test_dropping_the_iterator_leaves_nothing_behind() -> None:
    threads = Threads()
    key = GatedKey()
    key.gate.set()
    source = Source()
    for signature in Signer(key).sign_iter(source, concurrency=3):
        assert signature == signature_of(b"0")
        break
    gc.collect()
    threads.wait_ended()
    assert source.taken <= 12


def test_iterator_that_is_never_asked_takes_nothing_and_starts_nothing() -> None:
    threads = Threads()
    source = Source()
    signer = Signer(Ed25519Key())
    signer.sign_iter(source)
    assert source.taken == 0
    assert len(threads) == 0
    signer.close()


@pytest.mark.parametrize("concurrency", [1, 2])
def test_interrupt_out_of_a_call_ends_it(concurrency: int) -> None:
    threads = Threads()
    key = FailingKey(b"7", KeyboardInterrupt())
    with Signer(key) as signer, pytest.raises(KeyboardInterrupt):
        deque(signer.sign_iter(Source(), concurrency=concurrency), 0)
    assert key.closed == 1
    threads.wait_ended()


def test_interrupt_while_messages_are_taken_does_not_wait_for_its_place() -> None:
    threads = Threads()

    def interrupted() -> Iterator[bytes]:
        yield b"0"
        raise KeyboardInterrupt

    key = GatedKey()
    signer = Signer(key)
    with pytest.raises(KeyboardInterrupt):
        next(signer.sign_iter(interrupted(), concurrency=2))
    key.gate.set()
    signer.close()
    threads.wait_ended()


def test_signal_while_it_waits_ends_it() -> None:
    threads = Threads()

    class Interrupting(Ed25519Key):
        gate = threading.Event()

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does, wherever the main thread is
            assert self.gate.wait(PATIENCE)
            return super().sign(message, deadline)

    key = Interrupting()
    signer = Signer(key)
    with pytest.raises(KeyboardInterrupt):
        next(signer.sign_iter([b"0"], concurrency=2))
    key.gate.set()
    signer.close()
    assert key.closed == 1
    threads.wait_ended()


def test_suspended_iterator_does_not_keep_the_signer_open() -> None:
    threads = Threads()
    signer = Signer(Ed25519Key())
    signatures = signer.sign_iter(Source(), concurrency=2, lookahead=3)
    assert next(signatures) == signature_of(b"0")
    in_thread(signer.close).result()
    with pytest.raises(SignerClosedError):
        for number, signature in enumerate(signatures, start=1):
            assert number < 4
            assert signature == signature_of(b"%d" % number)
    threads.wait_ended()


def test_time_is_that_of_each_signature() -> None:
    clock = Clock()

    def slow(message: bytes, _: Deadline) -> bytes:
        clock.advance(2)
        return signature_of(message)

    def slower(_: bytes, deadline: Deadline) -> bytes:
        clock.advance(4)
        deadline.check()
        raise AssertionError

    signer = Signer(ScriptedKey([slow, slow, slow, slower]), clock=clock)
    signatures = signer.sign_iter(Source(), concurrency=1, timeout=3)
    assert [next(signatures) for _ in range(3)] == [signature_of(each) for each in numbered(3)]
    with pytest.raises(DeadlineExceededError):
        next(signatures)


def test_key_is_renewed_meanwhile() -> None:
    clock = Clock()
    key = RenewingKey()
    signatures = Signer(key, clock=clock).sign_iter(Source(), concurrency=1, lookahead=1)
    next(signatures)
    assert key.renewals == 0
    clock.advance(11)
    next(signatures)
    assert key.renewals == 1


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_context_variables_are_those_of_the_call(concurrency: int) -> None:
    seen: list[str] = []

    def see(message: bytes, _: Deadline) -> bytes:
        seen.append(VARIABLE.get())
        return signature_of(message)

    signer = Signer(ScriptedKey([see] * 40))
    token = VARIABLE.set("of the call")
    signatures = signer.sign_iter(numbered(40), concurrency=concurrency)
    VARIABLE.reset(token)
    deque(signatures, 0)
    assert seen == ["of the call"] * 40


def test_child_goes_on_though_the_parent_s_threads_were_at_it() -> None:
    class HeldKey(Ed25519Key):
        """Its second message is held at a gate."""

        inside, gate = threading.Event(), threading.Event()

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if message == b"1":
                self.inside.set()
                assert self.gate.wait(PATIENCE)
            return super().sign(message, deadline)

    key = HeldKey()

    def messages() -> Iterator[bytes]:
        yield b"0"
        yield b"1"
        assert key.inside.wait(PATIENCE)
        yield b"2"

    signer = Signer(key)
    signatures = signer.sign_iter(messages(), concurrency=2, lookahead=3)
    assert next(signatures) == signature_of(b"0")
    assert key.inside.wait(PATIENCE)

    def goes_on() -> None:
        key.gate.set()
        assert list(signatures) == [signature_of(b"1"), signature_of(b"2")]
        signer.close()

    assert in_child(goes_on) == 0
    goes_on()


def test_it_is_no_way_around_itself() -> None:
    """A source that asks for the signatures of its own messages is told so, and does not wait for ever."""
    signatures: Iterator[bytes]

    def circular() -> Iterator[bytes]:
        yield next(signatures)

    signatures = Signer(Ed25519Key()).sign_iter(circular())
    with pytest.raises(ValueError, match="already executing"):
        next(signatures)
