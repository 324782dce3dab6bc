"""The same slow work for all who want its result at the same time."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from signer_aws_kms.flight import Flight
from signer_core.deadline import Deadline

#: Seconds after which work is taken to hang: those who still want it begin anew, and do not ask what becomes of it.
HANGS_AFTER = 60.0
#: Threads that may hang in the same work; beyond them all wait for the last one that was begun.
MOST_HANGING = 4

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """``work()`` in one flight for all who want its result at the same time.

    ``take`` has each result before those who wait for it, one at a time; not that of a flight which was given up.
    """

    def __init__(
        self,
        work: Callable[[], T],
        *,
        take: Callable[[T], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._take = take
        self._clock = clock
        self._number = 0
        self._begun_at = 0.0
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: what was under way will never land."""
        self._lock = threading.Lock()
        self._flight: Flight[T] | None = None
        self._hanging: list[Flight[T]] = []

    @property
    def under_way(self) -> bool:
        """Somebody began it, and it has no result yet."""
        flight = self._flight
        return flight is not None and not flight.landed.is_set()

    def begin(self) -> Flight[T]:
        """The flight that is under way, or a new one. Raises what :class:`Flight` does."""
        with self._lock:
            begun = self._flight
            hanging = [each for each in (*self._hanging, begun) if each is not None and not each.landed.is_set()]
            if begun is not None and begun in hanging:
                age = self._clock() - self._begun_at
                if age < HANGS_AFTER or len(hanging) >= MOST_HANGING:
                    return begun
            flight = self._flight = Flight(functools.partial(self._fly, self._number + 1))
            self._number += 1
            self._begun_at = self._clock()
            self._hanging = hanging
            return flight

    def result(self, deadline: Deadline) -> T:
        """What the work returns or raises; see :meth:`Flight.result`."""
        while True:
            flight = self.begin()
            if deadline.wait(flight.landed, HANGS_AFTER):
                return flight.result(deadline)
            deadline.check()

    def _fly(self, number: int) -> T:
        result = self._work()
        with self._lock:
            if self._take is not None and number == self._number:
                self._take(result)
        return result
