"""Batches in order: all at once, or as an iterator that looks ahead no further than it needs."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from signer_core.errors import SignError
from signer_core.parallel import submitted, threads
from signer_core.window import Window

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], *, concurrency: int, cancel: threading.Event
) -> list[Result]:
    """``function(item)`` for all items, in their order, by at most ``concurrency`` threads.

    The first failure sets ``cancel``, lets the other threads finish what they are at, and is raised.
    """
    results: dict[int, Result] = {}
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
    if workers <= 1 or not _worked(work, workers, cancel):
        work()
    try:
        if failures:
            raise failures[0]
    finally:
        failures.clear()  # else an error would hold this frame, which holds it
    return [results[number] for number in range(len(items))]


def _worked(work: Callable[[], None], most: int, cancel: threading.Event) -> bool:
    """``work()`` in ``most`` threads, or in as many as the system has; False if it has none."""
    from concurrent.futures import wait

    try:
        executor = threads(most)
    except SignError:
        return False
    started: list[Future[None]] = []
    with executor:
        try:
            with contextlib.suppress(SignError):
                while len(started) < most:
                    started.append(submitted(executor, work))
            wait(started)
        except BaseException:
            cancel.set()
            raise
    return bool(started)


def one_by_one(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    concurrency: int,
    lookahead: int,
    cancel: threading.Event,
) -> Generator[Result, None, None]:
    """``function(item)`` for each item, in their order, with at most ``lookahead`` items taken and not given out.

    Items are taken in the thread that asks for results, which lends a hand instead of waiting: so there are at most
    ``concurrency - 1`` threads besides. What taking an item or the function raises comes at its place, and is the last
    thing to come. The end, whatever it is, sets ``cancel``, begins nothing more, and lets the threads end.
    """
    threads_besides = concurrency - 1
    if not threads_besides:
        lookahead = 1  # nobody would work on what is taken ahead
    return _one_by_one(Window(function, threads_besides), iter(items), lookahead, cancel)


def _one_by_one(
    window: Window[Item, Result], items: Iterator[Item], lookahead: int, cancel: threading.Event
) -> Generator[Result, None, None]:
    more = True
    try:
        while True:
            # A result that is there waits for no more than one item to be taken: where items come slowly, the window
            # stays small, and where results are fetched slowly, it is large enough as it is.
            while more and not window.is_over and len(window) < lookahead:
                is_ready = window.is_ready
                more = window.take(items)
                if is_ready:
                    break
            if not window:
                return
            yield window.first()
    finally:
        cancel.set()
        window.stop()
