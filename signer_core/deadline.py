"""One time budget and one cancellation for a call."""

import math
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from signer_core.errors import DeadlineExceededError, SignCancelledError

#: How often, in seconds, a wait for two things at once looks at the second.
LOOK_UP = 0.02


class Deadline:
    """How long a call may still take, and whether somebody has called it off.

    Made by :meth:`after`. It is passed down the whole way of a call, so that no step has a time budget of its own.
    """

    __slots__ = ("_cancel", "_clock", "_expires_at", "seconds", "unwanted")

    def __init__(
        self, seconds: float | None, expires_at: float, cancel: threading.Event | None, clock: Callable[[], float]
    ) -> None:
        #: The budget that it was made with, in seconds; None if there is no limit.
        self.seconds = seconds
        self._expires_at = expires_at
        self._cancel = cancel
        self._clock = clock
        #: Set as soon as nobody waits for the outcome any more, so that a wait for an answer may be broken off; None
        #: where somebody does until the end.
        self.unwanted: threading.Event | None = None

    @classmethod
    def after(
        cls,
        seconds: float | None,
        *,
        cancel: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """The deadline that is ``seconds`` from now; None and ``math.inf`` set no limit, 0 or less is over already.

        ``cancel`` ends it early; ``clock`` gives the time in seconds and never goes back.
        """
        if cancel is not None and not isinstance(cancel, threading.Event):
            raise TypeError(f"cancel must be a threading.Event, not {type(cancel).__module__}.{type(cancel).__name__}")
        if seconds is None or seconds > sys.float_info.max:  # inf, or a whole number that no float can hold
            return cls(None, math.inf, cancel, clock)
        if math.isnan(seconds):
            raise ValueError("a deadline must be a number of seconds, not NaN")
        return cls(seconds, clock() + seconds, cancel, clock)

    def within(self, seconds: float | None) -> "Deadline":
        """This deadline, or ``seconds`` from now where that is sooner: the budget of one step of the call."""
        if seconds is None or (self.seconds is not None and seconds >= self._expires_at - self._clock()):
            return self
        sooner = Deadline.after(seconds, cancel=self._cancel, clock=self._clock)
        sooner.unwanted = self.unwanted
        return sooner

    def stopped_by(self, unwanted: threading.Event) -> "Deadline":
        """This deadline, which ``unwanted`` ends early, too, as its own cancellation does."""
        cancel = unwanted if self._cancel is None else _Either(unwanted, self._cancel)
        stopped = Deadline(self.seconds, self._expires_at, cancel, self._clock)
        stopped.unwanted = unwanted
        return stopped

    def remaining(self) -> float | None:
        """The seconds that are left, 0.0 when it is over, None without a limit."""
        if self.seconds is None:
            return None
        return max(0.0, self._expires_at - self._clock())

    def check(self) -> None:
        """Raise :class:`~signer_core.errors.SignCancelledError` if it was called off,
        :class:`~signer_core.errors.DeadlineExceededError` if time is up.
        """
        if self._cancel is not None and self._cancel.is_set():
            raise SignCancelledError("the call was cancelled")
        if self.seconds is not None and self._clock() >= self._expires_at:
            raise self._exceeded()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``, or until the deadline or the cancellation, which then raise as in :meth:`check`."""
        self.check()
        remaining = self.remaining()
        falls_short = remaining is not None and remaining < seconds
        waiting = self._cancel if self._cancel is not None else threading.Event()
        waiting.wait(_waitable(remaining if falls_short else seconds))
        if falls_short and not waiting.is_set():
            raise self._exceeded()
        self.check()

    def wait(self, event: threading.Event, seconds: float | None = None) -> bool:
        """Wait until ``event`` is set (True), for ``seconds``, or for the deadline or the cancellation (False)."""
        limit = self.within(seconds)
        if self._cancel is None:
            return event.wait(_waitable(limit.remaining()))
        while not event.is_set() and limit.remaining() != 0 and not self._cancel.is_set():
            # Two events cannot be waited for at once, so a wait that can be called off looks up now and then.
            event.wait(min(limit.remaining() or LOOK_UP, LOOK_UP))
        return event.is_set()

    def _exceeded(self) -> DeadlineExceededError:
        return DeadlineExceededError(f"the time budget of {self.seconds:g}s is used up")


class _Either(threading.Event):
    """Set as soon as one of two events is."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._either = (first, second)

    def is_set(self) -> bool:
        first, second = self._either
        return first.is_set() or second.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        first, second = self._either
        left = math.inf if timeout is None else timeout
        while left > 0 and not second.is_set() and not first.wait(min(left, LOOK_UP)):
            left -= LOOK_UP
        return self.is_set()


def _waitable(seconds: float | None) -> float | None:
    """At most what the operating system can wait for, some hundred years."""
    return None if seconds is None else min(seconds, threading.TIMEOUT_MAX)
