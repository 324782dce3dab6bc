"""Batches for executors of concurrent.futures; tests/test_clusters.py has a cluster."""

import asyncio
import contextvars
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_aws_kms.testing import FakeKms, fake_kms, faults
from signer_core import Secret, Signer, create_signer, init_signer
from signer_core.errors import (
    AccessDeniedError,
    DeadlineExceededError,
    MessageTooLargeError,
    SignerClosedError,
    SignError,
)
from signer_core.parts import CHUNKS, MOST_BYTES, MOST_MESSAGES, chunks
from tests.keys import OTHER_SEED, PATIENCE, SEED, Clock, Ed25519Key, GatedKey, ScriptedKey, in_thread

__all__ = ["fake_kms"]

NOOP = {"backend": "noop", "seed": SEED.hex()}
MESSAGES = [b"message %d" % number for number in range(100)]

#: Python 3.12 warns of forking where there are threads; those of these tests hold no lock that a child needs.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork\\(\\) may lead to deadlocks:DeprecationWarning")


class Strict(Executor):
    """Lets through only what can go to another process, and does it at once."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
        self.submitted += 1
        function, arguments, options = pickle.loads(pickle.dumps((function, arguments, options)))
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*arguments, **options))))
        except BaseException as error:
            future.set_exception(pickle.loads(pickle.dumps(error)))
        return future


class Manual(Executor):
    """Does nothing by itself; ``begun`` is called with the futures once there are as many as there will be."""

    def __init__(self, begun: Callable[[list["Future[Any]"]], object] = len, parts: int = CHUNKS) -> None:
        self.futures: list[Future[Any]] = []
        self._begun = begun
        self._parts = parts

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
        self.futures.append(Future())
        if len(self.futures) >= self._parts:
            self._begun(self.futures)
        return self.futures[-1]


def pool(method: str, workers: int = 2, **options: Any) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method), **options)


@pytest.fixture
def signer() -> Iterator[Signer]:
    with create_signer(NOOP) as signer:
        yield signer


MAKERS: dict[str, Callable[[], Executor]] = {
    "threads": lambda: ThreadPoolExecutor(2),
    "strict": Strict,
    "forked": lambda: pool("fork"),
    "spawned": lambda: pool("spawn"),
    "one chunk each": lambda: pool("spawn", max_tasks_per_child=20),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_signatures_come_in_the_order_of_the_messages(signer: Signer, make: Callable[[], Executor]) -> None:
    with make() as executor:
        assert signer.sign_many(MESSAGES, executor=executor) == [signer.sign(message) for message in MESSAGES]
        assert signer.sign_many([bytearray(b"first")], executor=executor, timeout=60) == [signer.sign(b"first")]


def test_no_messages_are_no_work(signer: Signer) -> None:
    executor = Strict()
    assert signer.sign_many([], executor=executor) == []
    assert executor.submitted == 0


@given(st.lists(st.binary(max_size=3), max_size=3 * CHUNKS))
def test_chunks_are_the_messages(messages: list[bytes]) -> None:
    parts = list(chunks(messages))
    assert [message for part in parts for message in part] == messages
    assert len(parts) <= CHUNKS
    assert all(parts)


@given(st.integers(0, 200_000))
def test_chunks_are_many_but_not_large(count: int) -> None:
    sizes = [len(part) for part in chunks([b""] * count)]
    assert max(sizes, default=0) <= MOST_MESSAGES
    assert len(sizes) >= min(count, CHUNKS // 2)
    assert len(set(sizes[:-1])) <= 1


@given(st.lists(st.integers(0, 2 * MOST_BYTES), max_size=8))
def test_chunks_of_several_messages_have_few_bytes(sizes: list[int]) -> None:
    largest = bytes(2 * MOST_BYTES)
    for part in chunks([memoryview(largest)[:size] for size in sizes for _ in range(CHUNKS)]):  # type: ignore[misc]
        assert len(part) == 1 or sum(map(len, part)) <= MOST_BYTES


# Signers that cannot go elsewhere


def in_code() -> Signer:
    return Signer(Ed25519Key())


def seedless() -> Signer:
    return create_signer({"backend": "noop"})


@pytest.fixture
def literal(tmp_path: Path) -> Callable[[], Signer]:
    return lambda: init_signer({"backend": "file", "path": tmp_path / "key", "passphrase": Secret(b"correct horse")})


@pytest.fixture(params=["in code", "seedless", "literal secret"])
def staying(request: pytest.FixtureRequest, literal: Callable[[], Signer]) -> Iterator[Signer]:
    makers = {"in code": in_code, "seedless": seedless, "literal secret": literal}
    with makers[request.param]() as signer:
        yield signer


def test_signer_that_cannot_be_opened_elsewhere_stays_and_says_so(staying: Signer) -> None:
    executor = Strict()
    with pytest.raises(TypeError, match=r"not pickled.*; Strict may take it to other processes"):
        staying.sign_many(MESSAGES, executor=executor)
    assert executor.submitted == 0


def test_threads_sign_with_a_signer_that_cannot_be_opened_elsewhere(staying: Signer) -> None:
    with ThreadPoolExecutor(2) as executor:
        for message, signature in zip(MESSAGES, staying.sign_many(MESSAGES, executor=executor), strict=True):
            staying.public_key.verify(signature, message)


# Arguments


def test_executor_must_be_one(signer: Signer) -> None:
    with pytest.raises(TypeError, match=r"must be a concurrent.futures.Executor, not int"):
        signer.sign_many(MESSAGES, executor=4)  # type: ignore[arg-type]


def test_arguments_are_checked_before_anything_is_submitted(signer: Signer) -> None:
    executor = Strict()
    with pytest.raises(ValueError, match="concurrency"):
        signer.sign_many(MESSAGES, executor=executor, concurrency=0)
    with pytest.raises(ValueError, match="timeout"):
        signer.sign_many(MESSAGES, executor=executor, timeout=0)
    with pytest.raises(TypeError, match="message"):
        signer.sign_many([b"first", "second"], executor=executor)  # type: ignore[list-item]
    assert executor.submitted == 0


def test_closed_signer_submits_nothing(signer: Signer) -> None:
    executor = Strict()
    signer.close()
    with pytest.raises(SignerClosedError):
        signer.sign_many(MESSAGES, executor=executor)
    assert executor.submitted == 0


@pytest.mark.parametrize("concurrency", [None, 1, 3])
def test_concurrency_is_the_number_of_threads_for_a_chunk(concurrency: int | None) -> None:
    key = GatedKey()
    with Signer(key) as signer, ThreadPoolExecutor(1) as executor:
        batch = in_thread(lambda: signer.sign_many([b""] * 4 * CHUNKS, executor=executor, concurrency=concurrency))
        key.wait_entered(concurrency or 1)
        key.gate.set()
        batch.result()
    assert key.most_inside == (concurrency or 1)


def test_a_worker_signs_with_a_remote_key_on_all_its_connections(fake_kms: FakeKms) -> None:
    together = threading.Barrier(4)

    def wait(request: faults.Request) -> Any:
        together.wait(PATIENCE)
        return request.proceed()

    fake_kms.create_key(alias="alias/sequencer")
    fake_kms.inject(wait, operation="Sign", times=None)
    config = {"backend": "awskms", "key_id": "alias/sequencer", "max_connections": 4, "timeout": 2 * PATIENCE}
    with create_signer({**config, "attempt_timeout": 2 * PATIENCE}) as signer:
        signer.sign_many([b"message"] * 4 * CHUNKS, executor=Strict())  # so that each chunk has four messages
    assert fake_kms.requests["Sign"] == 4 * CHUNKS


def test_context_variables_carry_over_to_threads() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen = []

    def look(message: bytes, _: object) -> bytes:
        seen.append(variable.get())
        return Ed25519Key().private_key.sign(message)

    variable.set("value")
    with Signer(ScriptedKey([look])) as signer, ThreadPoolExecutor(1) as executor:
        signer.sign_many(MESSAGES, executor=executor)
    assert seen == ["value"]


# Failures of the signing


def test_error_of_a_worker_is_raised_with_its_fields(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias="alias/sequencer")
    messages = [b"short"] * 99 + [bytes(4097)]
    with create_signer({"backend": "awskms", "key_id": "alias/sequencer"}) as signer, pool("spawn", 1) as executor:
        with pytest.raises(MessageTooLargeError) as raised:
            signer.sign_many(messages, executor=executor)
        assert (raised.value.limit, raised.value.size) == (4096, 4097)
        assert raised.value.__notes__ == ["in a worker of ProcessPoolExecutor"]
        signer.sign_many(messages[:-1], executor=executor)
        assert fake_kms.requests["GetPublicKey"] == 2  # once here, once in the worker


def test_first_failure_cancels_what_has_not_begun(signer: Signer) -> None:
    def fail(futures: list["Future[Any]"]) -> None:
        futures[0].set_running_or_notify_cancel()
        futures[2].set_exception(AccessDeniedError("not you"))

    executor = Manual(fail)
    with pytest.raises(AccessDeniedError, match="not you"):
        signer.sign_many(MESSAGES[:CHUNKS], executor=executor)
    assert [future.cancelled() for future in executor.futures] == [False, True, False, *[True] * (CHUNKS - 3)]


def test_nothing_more_is_handed_over_after_a_failure(signer: Signer) -> None:
    executor = Manual(lambda futures: futures[-1].set_exception(AccessDeniedError("not you")), parts=1)
    with pytest.raises(AccessDeniedError, match="not you"):
        signer.sign_many(MESSAGES, executor=executor)
    assert len(executor.futures) == 1


def test_failure_in_a_thread_stops_the_others_at_their_next_message() -> None:
    key = ScriptedKey([SignError("the first one fails")])
    with Signer(key) as signer, ThreadPoolExecutor(1) as executor:
        with pytest.raises(SignError, match="the first one fails"):
            signer.sign_many([b""] * 4 * CHUNKS, executor=executor)
        signed = len(key.deadlines)
        executor.submit(int).result(PATIENCE)
    assert len(key.deadlines) == signed < 4 * CHUNKS


def test_a_batch_ends_when_its_time_is_up(signer: Signer) -> None:
    executor = Manual()
    with pytest.raises(DeadlineExceededError):
        signer.sign_many(MESSAGES, executor=executor, timeout=0.01)
    assert all(future.cancelled() for future in executor.futures)


def test_nothing_more_is_handed_over_when_the_time_is_up() -> None:
    clock = Clock()

    class Slow(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **options: Any) -> "Future[Any]":
            clock.advance(1)
            return super().submit(*arguments, **options)

    with Signer(Ed25519Key(), clock=clock) as signer, Slow(1) as executor:
        began = clock()
        with pytest.raises(DeadlineExceededError):
            signer.sign_many(MESSAGES, executor=executor, timeout=5)
    assert clock() - began == 5


def test_interrupt_cancels_what_has_not_begun(signer: Signer) -> None:
    executor = Manual(lambda futures: futures[0].set_exception(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        signer.sign_many(MESSAGES[:CHUNKS], executor=executor)
    assert all(future.cancelled() for future in executor.futures[1:])


# Failures of the executor


def test_worker_that_died_before(signer: Signer) -> None:
    with pool("spawn", 1) as executor:
        with pytest.raises(BrokenProcessPool):
            executor.submit(os._exit, 1).result(PATIENCE)
        with pytest.raises(SignError, match=r"ProcessPoolExecutor is broken.*with a new executor") as raised:
            signer.sign_many(MESSAGES, executor=executor)
    assert type(raised.value) is SignError
    assert not raised.value.retryable


def test_worker_that_dies_in_the_middle(signer: Signer) -> None:
    class Dying(ProcessPoolExecutor):
        submitted = 0

        def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
            self.submitted += 1
            if self.submitted == 10:
                super().submit(os._exit, 1)
            return super().submit(function, *arguments, **options)

    executor = Dying(2, mp_context=multiprocessing.get_context("spawn"))
    with executor, pytest.raises(SignError, match="Dying is broken"):
        signer.sign_many(MESSAGES, executor=executor)


def test_executor_that_was_shut_down(signer: Signer) -> None:
    for executor in (ThreadPoolExecutor(1), pool("spawn", 1)):
        executor.shutdown()
        with pytest.raises(SignError, match=r"takes no work: .*shutdown") as raised:
            signer.sign_many(MESSAGES, executor=executor)
        assert not raised.value.retryable


def test_executor_that_is_shut_down_in_the_middle() -> None:
    key = GatedKey()
    with Signer(key) as signer, ThreadPoolExecutor(1) as executor:
        batch = in_thread(lambda: signer.sign_many(MESSAGES, executor=executor))
        key.wait_entered()
        executor.shutdown(wait=False, cancel_futures=True)
        key.gate.set()
        with pytest.raises(SignError, match=r"ThreadPoolExecutor (cancelled a part of the batch|takes no work)"):
            batch.result()


@pytest.mark.parametrize(
    ("error", "text", "retryable"),
    [
        (CancelledError(), "Manual cancelled a part of the batch", True),
        (asyncio.CancelledError(), "Manual cancelled a part of the batch", True),
        (ConnectionError("lost"), r"Manual failed \(ConnectionError\)", True),
        (ModuleNotFoundError("No module named 'signer_core'"), r"Manual failed \(ModuleNotFoundError\).*distr", False),
        (RuntimeError("while unpickling"), r"Manual failed \(RuntimeError\)", False),
    ],
)
def test_no_foreign_error_leaves_the_library(signer: Signer, error: BaseException, text: str, retryable: bool) -> None:
    executor = Manual(lambda futures: futures[-1].set_exception(error))
    with pytest.raises(SignError, match=text) as raised:
        signer.sign_many(MESSAGES[:CHUNKS], executor=executor)
    assert raised.value.retryable is retryable
    assert raised.value.__cause__ is error


def test_part_that_an_executor_lost_is_handed_over_once_more(signer: Signer) -> None:
    class Losing(Strict):
        def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
            future = super().submit(function, *arguments, **options)
            if self.submitted != 3:
                return future
            lost: Future[Any] = Future()
            lost.set_exception(ValueError("too many values to unpack"))
            return lost

    executor = Losing()
    assert signer.sign_many(MESSAGES[:CHUNKS], executor=executor) == signer.sign_many(MESSAGES[:CHUNKS])
    assert executor.submitted == CHUNKS + 1


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([], "0 signatures"),
        ([b"one", b"two"], "2 signatures"),
        ([b"one", b"two", b"three", b"four"], "4 signatures"),
        (None, "something else than signatures"),
        (b"one", "something else than signatures"),
        ([b"one", None, b"three"], "something else than signatures"),
    ],
)
@pytest.mark.parametrize("kind", [Strict, ThreadPoolExecutor])
def test_part_with_anything_but_its_signatures_is_an_error(
    signer: Signer, kind: type[Executor], result: object, text: str
) -> None:
    class Wrong(kind):  # type: ignore[misc, valid-type]
        def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
            super().submit(function, *arguments, **options).result(PATIENCE)
            future: Future[Any] = Future()
            future.set_result(result)
            return future

    with (
        Wrong() as executor,
        pytest.raises(SignError, match=rf"Wrong gave {text} for 3 messages; none .* another executor$") as raised,
    ):
        signer.sign_many(MESSAGES[:3] * CHUNKS, executor=executor)
    assert type(raised.value) is SignError
    assert not raised.value.retryable


def test_no_foreign_error_leaves_submit(signer: Signer) -> None:
    class Refusing(Manual):
        def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
            if len(self.futures) == 3:
                raise OSError("no scheduler")
            return super().submit(function, *arguments, **options)

    executor = Refusing()
    with pytest.raises(SignError, match=r"Refusing failed \(OSError\)"):
        signer.sign_many(MESSAGES, executor=executor)
    assert [future.cancelled() for future in executor.futures] == [True, True, True]


# Several threads and signers


def test_close_waits_for_a_batch() -> None:
    key = GatedKey()
    with ThreadPoolExecutor(2) as executor:
        signer = Signer(key)
        batch = in_thread(lambda: signer.sign_many(MESSAGES, executor=executor))
        key.wait_entered(2)
        closing = in_thread(signer.close)
        key.gate.set()
        assert len(batch.result()) == len(MESSAGES)
        closing.result()
    assert key.closed == 1


def test_batches_of_several_signers_share_an_executor() -> None:
    signers = [create_signer(NOOP), create_signer({**NOOP, "seed": OTHER_SEED.hex()})]
    with pool("spawn") as executor, ThreadPoolExecutor(2) as callers:
        batches = [callers.submit(signer.sign_many, MESSAGES, executor=executor) for signer in signers]
        for signer, batch in zip(signers, batches, strict=True):
            assert batch.result(PATIENCE) == signer.sign_many(MESSAGES)


def test_nothing_is_imported_for_it_before_it_is_used() -> None:
    import subprocess
    import sys

    loaded = "{*sys.modules} & {'signer_core.executors', 'signer_core.parts', 'signer_core.workers'}"
    program = f"import sys; from signer_core import *; print({loaded})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
