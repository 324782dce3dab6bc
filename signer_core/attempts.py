"""The one owner of retries: how long a call may take, and how often it is tried."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from signer_core.deadline import Deadline
from signer_core.errors import BackendUnavailableError, DeadlineExceededError, SignError

_logger = logging.getLogger("signer_core")

FIRST_BACKOFF = 0.1
LONGEST_BACKOFF = 5.0

T = TypeVar("T")


def full_jitter(ceiling: float) -> float:
    """Anything from nothing to ``ceiling`` seconds, so that callers who failed together do not come back together."""
    import random

    return random.uniform(0.0, ceiling)  # noqa: S311 — spreads load, guards nothing


class Attempts:
    """The budget of a call, in seconds, and its attempts. None sets no limit."""

    __slots__ = ("attempt_timeout", "clock", "jitter", "max_retries", "timeout")

    def __init__(
        self,
        *,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        max_retries: int = 0,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = full_jitter,
    ) -> None:
        if not isinstance(max_retries, int) or isinstance(max_retries, bool):
            raise TypeError(f"max_retries must be a whole number, not {type(max_retries).__name__}")
        if max_retries < 0:
            raise ValueError(f"max_retries must be 0 or more, not {max_retries}")
        self.timeout = timeout
        self.attempt_timeout = attempt_timeout
        self.max_retries = max_retries
        self.clock = clock
        self.jitter = jitter

    @property
    def just_one(self) -> bool:
        """Each call is one attempt that may take as long as the call."""
        return self.max_retries == 0 and self.attempt_timeout is None

    def deadline(self, timeout: float | None, cancel: threading.Event | None) -> Deadline:
        """The deadline of a call that begins now; ``timeout`` in seconds goes before the configured one."""
        if timeout is None:
            timeout = self.timeout
        else:
            _check_timeout(timeout)
        return Deadline.after(timeout, cancel=cancel, clock=self.clock)

    def run(self, attempt: Callable[[Deadline], T], deadline: Deadline) -> T:
        """``attempt(deadline of this attempt)``, again after a pause while it fails with something retryable.

        Pauses grow exponentially with full jitter, and are never shorter than the backend's ``retry_after``. Where the
        next attempt could not begin before the deadline, the call ends at once.
        """
        started = self.clock()
        count = 0
        while True:
            count += 1
            deadline.check()
            try:
                return attempt(deadline.within(self.attempt_timeout))
            except SignError as error:
                if not error.retryable:
                    raise
                elapsed = self.clock() - started
                so_far = f"{count} attempt{'s' if count > 1 else ''} in {elapsed:.3g}s"
                if deadline.remaining() == 0:
                    raise DeadlineExceededError(
                        f"no success within {deadline.seconds:g}s: {so_far}; last: {error}"
                    ) from error
                if self.max_retries == 0:
                    raise
                if count > self.max_retries:
                    final = _gave_up(error, so_far)
                    if final is error:
                        raise
                    raise final from error
                pause = self.jitter(min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(count - 1, 10)))
                pause = max(pause, _asked_for(error))
                remaining = deadline.remaining()
                if remaining is not None and remaining <= pause:
                    raise DeadlineExceededError(
                        f"the next attempt, in {pause:.3g}s, would begin after the deadline: {so_far}; last: {error}",
                        retry_after=error.retry_after,
                    ) from error
                most = self.max_retries + 1
                _logger.info("attempt %d of %d failed: %s; the next one in %.3gs", count, most, error, pause)
                deadline.sleep(pause)


def _check_timeout(timeout: Any) -> None:
    """Raise TypeError or ValueError for what is no budget of a call."""
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):  # "1s" is right in a configuration alone
        kind = type(timeout).__name__
        raise TypeError(f"timeout must be a number of seconds, or math.inf for no limit, not {kind}")
    if not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, or math.inf for no limit, not {timeout!r}")


def _asked_for(error: SignError) -> float:
    """The pause that the backend asked for, in seconds."""
    asked = error.retry_after
    return float(asked) if isinstance(asked, int | float) and 0.0 < asked <= sys.float_info.max else 0.0


def _gave_up(error: SignError, so_far: str) -> SignError:
    """The error of the last attempt, which says how many there were: in its text, or a backend's own kind in a note."""
    kind = type(error)
    if kind in (BackendUnavailableError, DeadlineExceededError):
        return kind(f"{error.message} (gave up after {so_far})", remedy=error.remedy, retry_after=error.retry_after)
    error.add_note(f"gave up after {so_far}")
    return error
