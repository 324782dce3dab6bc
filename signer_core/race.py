"""A race of two attempts at one signature: the second begins if the first is slow, and the first verified one wins."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from signer_core.deadline import Deadline
from signer_core.errors import SignCancelledError, SignerError, SignError
from signer_core.parallel import Threads

_logger = logging.getLogger("signer_core")

#: Threads of one signer at once, for first attempts and for second ones: apart, so that first attempts that are slow
#: leave some for the second ones. An attempt that finds none goes on without: see Race.
FIRST_ATTEMPTS = 256
SECOND_ATTEMPTS = 64

#: In the long run there is one second attempt for so many first ones, besides a burst of so many at once: a backend
#: that is slow as a whole shall not get the double load. Counted like the tokens of gRPC's retry throttling (gRFC A6).
FIRST_FOR_A_SECOND = 20
BURST = 20

#: From a message, or a digest, and its own deadline to a verified signature.
Attempt = Callable[[bytes, Deadline], bytes]


class Held(Protocol):
    """A key that is not closed while something holds it: :class:`~signer_core.open_key.OpenKey`."""

    def hold(self, part: object) -> None:
        """Begin a part of a call that is on its way."""

    def leave(self, call: object) -> None:
        """End it."""


class Budget:
    """How many second attempts there may still be."""

    __slots__ = ("_changes", "_tokens")

    def __init__(self) -> None:
        self._tokens = BURST * FIRST_FOR_A_SECOND
        self._changes = threading.Lock()

    def earn(self) -> None:
        """There is another first attempt."""
        with self._changes:
            self._tokens = min(self._tokens + 1, BURST * FIRST_FOR_A_SECOND)

    def spend(self) -> bool:
        """Take one second attempt; False if there is none left."""
        with self._changes:
            if self._tokens < FIRST_FOR_A_SECOND:
                return False
            self._tokens -= FIRST_FOR_A_SECOND
            return True


class Means:
    """What the races of one signer share: their threads, and how many second attempts there may be.

    ``hedge_after`` and ``attempt_timeout`` in seconds.
    """

    __slots__ = ("attempt_timeout", "budget", "first", "hedge_after", "second", "threads")

    def __init__(self, hedge_after: float, attempt_timeout: float | None) -> None:
        self.hedge_after = hedge_after
        self.attempt_timeout = attempt_timeout
        self.threads = Threads(FIRST_ATTEMPTS + SECOND_ATTEMPTS)
        self.first = threading.Semaphore(FIRST_ATTEMPTS)
        self.second = threading.Semaphore(SECOND_ATTEMPTS)
        self.budget = Budget()


class Race:
    """Up to two attempts at one signature, each in a thread of its own, so that the caller need not wait for both.

    Where there is no thread left, the caller makes the first attempt itself, and there is no second one.
    """

    __slots__ = ("_attempt", "_content", "_deadline", "_key", "_means", "_outcomes", "_over")

    def __init__(self, means: Means, key: Held, attempt: Attempt, content: bytes, deadline: Deadline) -> None:
        self._means = means
        self._key = key
        self._attempt = attempt
        self._content = content
        self._deadline = deadline
        self._outcomes: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
        #: Tells an attempt for which nobody waits any more to stop.
        self._over = threading.Event()

    def signature(self) -> bytes:
        """The first verified one. Raises the graver error of two, if both fail.

        An attempt that fails before it was hedged is a failed attempt as any other. It ends by its own deadline or the
        cancellation of the call, and so does the second one: the caller waits for what they say about it.
        """
        means = self._means
        means.budget.earn()
        running = 1
        patience: float | None = means.hedge_after
        failures: list[BaseException] = []
        try:
            if not self._begun(means.first):
                return self._attempt(self._content, self._deadline.within(means.attempt_timeout))
            while running:
                try:
                    outcome = self._outcomes.get(timeout=patience)
                except queue.Empty:
                    patience = None
                    running += self._second_begun()
                    continue
                if isinstance(outcome, bytes):
                    return outcome
                failures.append(outcome)
                running -= 1
                if running:
                    _report(outcome)
                del outcome  # else it would hold this frame, which holds it
            raise _graver(failures)
        finally:
            self._over.set()
            failures.clear()

    def _second_begun(self) -> bool:
        means = self._means
        if not means.budget.spend():
            _logger.debug("no answer in %.3gs, and no second attempt: there were too many", means.hedge_after)
            return False
        if not self._begun(means.second):
            _logger.debug("no answer in %.3gs, and no second attempt: no thread is free", means.hedge_after)
            return False
        _logger.info("no answer in %.3gs: a second attempt runs beside the first", means.hedge_after)
        return True

    def _begun(self, free: threading.Semaphore) -> bool:
        """Begin an attempt in one of the threads that are ``free``; False if there is none."""
        if not free.acquire(blocking=False):
            return False
        deadline = self._deadline.stopped_by(self._over).within(self._means.attempt_timeout)
        begins = threading.Lock()  # taken once: by the attempt, or by who gives it up

        def attempt() -> None:
            if begins.acquire(blocking=False):
                self._run(deadline, free, begins)

        try:
            self._key.hold(begins)
            self._means.threads.submit(attempt)
        except BaseException as error:
            # An interrupt; or the system has no more threads, or the interpreter is about to end. The executor may have
            # kept the attempt for another of its threads, which may even be at it.
            given_up = begins.acquire(blocking=False)
            if given_up:
                self._key.leave(begins)
                free.release()
            if not isinstance(error, SignError):
                raise
            return not given_up
        return True

    def _run(self, deadline: Deadline, free: threading.Semaphore, part: object) -> None:
        try:
            deadline.check()
            signature = self._attempt(self._content, deadline)
        except BaseException as error:  # the caller is to get it, whatever it is
            if self._over.is_set():
                _report(error)
            self._end(error, free, part)
        else:
            self._end(signature, free, part)

    def _end(self, outcome: bytes | BaseException, free: threading.Semaphore, part: object) -> None:
        try:
            self._key.leave(part)
        finally:
            free.release()
            self._outcomes.put(outcome)


def _graver(failures: list[BaseException]) -> BaseException:
    """The error of a race of which all attempts failed, with the other in a note.

    One after which no further attempt helps, such as a denied access or a wrong signature, must not be hidden by one
    that only came too late. Then goes the one with the longest ``retry_after``, since the backend asked for that pause;
    then the one that came first.
    """

    def gravity(error: BaseException) -> tuple[bool, float]:
        asked = getattr(error, "retry_after", None)
        return not getattr(error, "retryable", False), asked if isinstance(asked, int | float) else 0.0

    gravest = max(failures, key=gravity)
    for other in failures:
        if other is not gravest:
            gravest.add_note(f"the other attempt: {_told(other)}")
    return gravest


def _report(error: BaseException) -> None:
    """Log a failure that the caller does not get, or not yet; that an attempt was told to stop is none."""
    if isinstance(error, SignCancelledError):
        return
    level = logging.INFO if getattr(error, "retryable", False) else logging.WARNING
    _logger.log(level, "one of two attempts failed: %s", _told(error))


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, SignerError) else type(error).__name__
