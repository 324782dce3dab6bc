"""Many signatures at once: threads for asyncio, and batches in order."""

import contextvars
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from signer_core.deadline import LOOK_UP, Deadline
from signer_core.errors import DeadlineExceededError, SignError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")


def check_concurrency(concurrency: int) -> None:
    """Raise ValueError unless it is a number of threads."""
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise ValueError(f"concurrency must be a whole number and at least 1, not {concurrency!r}")


class Threads:
    """The threads of one signer that make its calls awaitable: started when needed, never more than ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._executor: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    def close(self) -> None:
        """Let the threads end."""
        with self._starting:
            if self._executor is not None:
                self._executor.shutdown(wait=False)

    def submit(self, function: Callable[[], T]) -> "Future[T]":
        """Have ``function()`` called in a thread, with the caller's context variables."""
        with self._starting:
            if self._executor is None:
                from concurrent.futures import ThreadPoolExecutor

                self._executor = ThreadPoolExecutor(self._most, thread_name_prefix="signer")
            return _submitted(self._executor, function)


async def outcome(future: "Future[T]", *, deadline: Deadline, cancel: threading.Event) -> T:
    """What the submitted call gives. Cancelling the task sets ``cancel``, which ends the call's waits.

    A call that still waits for a thread when its deadline is over ends there.
    """
    import asyncio

    awaitable = asyncio.wrap_future(future)
    try:
        await asyncio.wait((awaitable,), timeout=deadline.remaining())
        if not awaitable.done() and future.cancel():
            raise DeadlineExceededError(f"the call waited {deadline.seconds:g}s for a free thread")
        return await awaitable
    except asyncio.CancelledError:
        cancel.set()
        awaitable.cancel()
        raise


async def awaited(
    function: Callable[[threading.Event], T], *, cancel: threading.Event | None, unwanted: Callable[[T], None]
) -> T:
    """``function(cancel)`` in a thread that it has for itself, with the caller's context variables.

    The event that it gets is set when ``cancel`` is, or when the task is cancelled. What it gives nevertheless, when
    nobody waits for it any more, goes to ``unwanted``, in that thread.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    def pass_on(future: "Future[T]") -> None:
        if not future.cancelled() and future.exception() is None:
            unwanted(future.result())

    called_off = threading.Event()
    executor = ThreadPoolExecutor(1, thread_name_prefix="signer")
    future = _submitted(executor, function, called_off)
    executor.shutdown(wait=False)
    awaitable = asyncio.wrap_future(future)
    try:
        while not awaitable.done():
            if cancel is not None and cancel.is_set():
                called_off.set()
            look_up = None if cancel is None or called_off.is_set() else LOOK_UP
            await asyncio.wait((awaitable,), timeout=look_up)
        return awaitable.result()
    except asyncio.CancelledError:
        called_off.set()
        future.add_done_callback(pass_on)
        awaitable.cancel()
        raise


def in_order(
    function: Callable[[bytes], T], items: Sequence[bytes], *, concurrency: int, cancel: threading.Event
) -> list[T]:
    """``function(item)`` for all items, in their order, by at most ``concurrency`` threads.

    The first failure sets ``cancel``, lets the other threads finish what they are at, and is raised.
    """
    results: dict[int, T] = {}
    failures: list[BaseException] = []
    numbers = itertools.count()

    def work() -> None:
        # next() on a count is atomic, so each number goes to one thread
        while (number := next(numbers)) < len(items) and not cancel.is_set():
            try:
                results[number] = function(items[number])
            except BaseException as error:
                failures.append(error)
                cancel.set()

    workers = min(concurrency, len(items))
    if workers <= 1:
        work()
    else:
        from concurrent.futures import ThreadPoolExecutor, wait

        with ThreadPoolExecutor(workers, thread_name_prefix="signer") as executor:
            try:
                wait([_submitted(executor, work) for _ in range(workers)])
            except BaseException:
                cancel.set()
                raise
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(items))]


def _submitted(executor: "ThreadPoolExecutor", function: Callable[..., T], *arguments: object) -> "Future[T]":
    try:
        return executor.submit(contextvars.copy_context().run, function, *arguments)
    except RuntimeError as error:  # the system has no more threads, or the interpreter is about to end
        raise SignError(f"no thread can be started for the call: {error}", retryable=True) from error
