"""Threads for asyncio."""

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from signer_core.deadline import LOOK_UP, Deadline
from signer_core.errors import DeadlineExceededError, SignError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")


def check_count(name: str, count: int) -> None:
    """Raise ValueError unless ``count``, the argument ``name``, is a whole number and at least 1."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError(f"{name} must be a whole number and at least 1, not {count!r}")


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
                self._executor = threads(self._most)
            return submitted(self._executor, function)


async def outcome(future: "Future[T]", *, deadline: Deadline, cancel: threading.Event) -> T:
    """What the submitted call gives. Cancelling the task sets ``cancel``, which ends the call's waits.

    A call that still waits for a thread when its deadline is over ends there.
    """
    import asyncio

    # asyncio.wait around a wrapped future would say the same, and cost as much again as all the rest
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def tell(_: "Future[T]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_set, ended)

    future.add_done_callback(tell)
    remaining = deadline.remaining()
    timer = None if remaining is None else loop.call_later(remaining, future.cancel)
    try:
        await ended
    except asyncio.CancelledError:
        cancel.set()
        future.cancel()
        raise
    finally:
        if timer is not None:
            timer.cancel()
    if future.cancelled():
        raise DeadlineExceededError(f"the call waited {deadline.seconds:g}s for a free thread")
    try:
        return future.result()
    finally:
        del future  # else an error would hold this frame, which holds it


def _set(ended: "asyncio.Future[None]") -> None:
    if not ended.done():
        ended.set_result(None)


async def awaited(
    function: Callable[[threading.Event], T], *, cancel: threading.Event | None, unwanted: Callable[[T], None]
) -> T:
    """``function(cancel)`` in a thread that it has for itself, with the caller's context variables.

    The event that it gets is set when ``cancel`` is, or when the task is cancelled. What it gives nevertheless, when
    nobody waits for it any more, goes to ``unwanted``, in that thread.
    """
    import asyncio

    def pass_on(future: "Future[T]") -> None:
        if not future.cancelled() and future.exception() is None:
            unwanted(future.result())

    called_off = threading.Event()
    executor = threads(1)
    future = submitted(executor, function, called_off)
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


def threads(most: int) -> "ThreadPoolExecutor":
    """At most so many threads. Raises SignError."""
    try:
        from concurrent.futures import ThreadPoolExecutor
    except RuntimeError as error:  # what it says at its import when the interpreter is about to end
        raise _no_thread(error) from error
    return ThreadPoolExecutor(most, thread_name_prefix="signer")


def submitted(executor: "ThreadPoolExecutor", function: Callable[..., T], *arguments: object) -> "Future[T]":
    """Have ``function(*arguments)`` called in a thread, with the caller's context variables. Raises SignError."""
    import contextvars

    try:
        return executor.submit(contextvars.copy_context().run, function, *arguments)
    except RuntimeError as error:  # the system has no more threads, or the interpreter is about to end
        raise _no_thread(error) from error


def _no_thread(error: RuntimeError) -> SignError:
    return SignError(f"no thread can be started for the call: {error}", retryable=True)
