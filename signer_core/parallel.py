"""Many signatures at once: threads for asyncio, and batches in order."""

import contextvars
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from signer_core.deadline import Deadline
from signer_core.errors import DeadlineExceededError

T = TypeVar("T")


class Threads:
    """The threads of one signer that make its calls awaitable: started when needed, never more than ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._executor: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    async def run_async(
        self, function: Callable[[], T], *, finished: Callable[[], None], deadline: Deadline, cancel: threading.Event
    ) -> T:
        """``function()`` in a thread, with the caller's context variables. ``finished`` is called once it is over.

        Cancelling the task sets ``cancel``, which ends the function's waits; a call that waits for a thread until its
        deadline is over ends there.
        """
        import asyncio

        try:
            future: Future[T] = self._submit(function)
        except BaseException:
            finished()
            raise
        future.add_done_callback(lambda _: finished())
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

    def close(self) -> None:
        """Let the threads end."""
        with self._starting:
            if self._executor is not None:
                self._executor.shutdown(wait=False)

    def _submit(self, function: Callable[[], T]) -> "Future[T]":
        with self._starting:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._most, thread_name_prefix="signer")
            return self._executor.submit(contextvars.copy_context().run, function)


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
        with ThreadPoolExecutor(workers, thread_name_prefix="signer") as executor:
            try:
                wait([executor.submit(contextvars.copy_context().run, work) for _ in range(workers)])
            except BaseException:
                cancel.set()
                raise
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(items))]
