"""Items that were taken ahead and wait for their turn, and the threads that work on them."""

import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from signer_core.errors import SignError
from signer_core.forks import tell_after_fork
from signer_core.parallel import submitted, threads

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Place(Generic[Item, Result]):
    """One item, and what became of it."""

    __slots__ = ("awaited", "error", "is_done", "item", "result")

    item: Item
    result: Result

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.is_done = False
        #: Made by whoever waits for the end, before a last look at ``is_done``.
        self.awaited: threading.Event | None = None

    def end(self) -> None:
        self.is_done = True
        if self.awaited is not None:
            self.awaited.set()

    def wait(self) -> None:
        self.awaited = threading.Event()
        if not self.is_done:
            self.awaited.wait()


class Window(Generic[Item, Result]):
    """The items that were taken and whose results were not given out, in order; and the threads that work on them.

    The threads hold the window, and nothing else does but its iterator: where that is dropped, the work ends.
    """

    def __init__(self, function: Callable[[Item], Result], most: int) -> None:
        self._function = function
        self._context = contextvars.copy_context()
        #: Threads at once.
        self._most = most
        self._places: deque[_Place[Item, Result]] = deque()
        #: Nothing more is to be begun: a call failed, or nobody wants the results.
        self.is_over = False
        self._start()
        tell_after_fork(self)

    def _start(self) -> None:
        self._changes = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._working = 0
        self._not_begun = deque(place for place in self._places if not place.is_done)

    def forget_other_threads(self) -> None:
        """In a forked child: what the parent's threads were at is begun anew."""
        self._start()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def is_ready(self) -> bool:
        """Whether the first result can be given out without waiting."""
        return bool(self._places) and self._places[0].is_done

    def take(self, items: Iterator[Item]) -> bool:
        """Take the next item, to be worked on; False if there is none, or taking it failed."""
        place: _Place[Item, Result] = _Place()
        try:
            place.item = next(items)
        except StopIteration:
            return False
        except Exception as error:
            place.error = error
            place.end()
            self._places.append(place)
            return False
        self._places.append(place)
        self._begin(place)
        return True

    def first(self) -> Result:
        """The first result, once it is there. Until then this thread works, too."""
        place, helped = self._places[0], None
        while not place.is_done:
            helped = self._next()
            if helped is None:
                place.wait()
            else:
                self._context.run(self._end, helped)
                if helped.error is not None and not isinstance(helped.error, Exception):
                    raise helped.error  # an interrupt does not wait for its place
        self._places.popleft()
        if place.error is None:
            return place.result
        error, place.error = place.error, None
        try:
            raise error
        finally:
            del error, place, helped  # else the error would hold this frame, which holds it

    def stop(self) -> None:
        """Begin nothing more, and let the threads end."""
        self.is_over = True
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    def _begin(self, place: _Place[Item, Result]) -> None:
        with self._changes:
            self._not_begun.append(place)
            starts = self._working < self._most
            self._working += starts
        if starts:
            with contextlib.suppress(SignError):  # the system has no more threads: those that there are will do
                if self._executor is None:
                    self._executor = threads(self._most)
                submitted(self._executor, self._context.copy().run, self._work)

    def _work(self) -> None:
        while True:
            with self._changes:  # so that whoever adds an item finds a thread that will look again, or starts one
                place = self._next()
                if place is None:
                    self._working -= 1
                    return
            self._end(place)

    def _next(self) -> _Place[Item, Result] | None:
        """The first item that nobody has begun; None if there is none, or nothing is to be begun any more."""
        try:
            return None if self.is_over else self._not_begun.popleft()
        except IndexError:
            return None

    def _end(self, place: _Place[Item, Result]) -> None:
        try:
            place.result = self._function(place.item)
        except BaseException as error:
            place.error = error
            self.is_over = True  # all that comes before it has begun already, and goes on
        place.end()
