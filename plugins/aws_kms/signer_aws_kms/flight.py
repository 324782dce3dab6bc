"""Work that cannot be told to hurry: done in a thread of its own, which a call can stop waiting for."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from signer_core.deadline import Deadline

T = TypeVar("T")


class Flight(Generic[T]):
    """``work()`` under way in a thread of its own; it goes on when nobody waits any more."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: Exception | None = None
        self.landed = threading.Event()
        threading.Thread(target=self._run, name="signer-aws-kms", daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except Exception as error:
            self._error = error
        finally:
            self.landed.set()

    def result(self, deadline: Deadline) -> T:
        """What ``work`` returns or raises; ``TimeoutError`` at the deadline, ``SignCancelledError`` if called off."""
        if not deadline.wait(self.landed):
            deadline.check()
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._results[0]


class SingleFlight(Generic[T]):
    """The same work for all who want its result at the same time."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: what was under way will never land."""
        self._lock = threading.Lock()
        self._flight: Flight[T] | None = None

    def begin(self) -> Flight[T]:
        """The flight that is under way, or a new one."""
        with self._lock:
            if self._flight is None or self._flight.landed.is_set():
                self._flight = Flight(self._work)
            return self._flight

    def result(self, deadline: Deadline) -> T:
        """What the work returns or raises; see :meth:`Flight.result`."""
        return self.begin().result(deadline)
