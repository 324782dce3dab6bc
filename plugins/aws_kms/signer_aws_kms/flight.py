"""Work that cannot be told to hurry: done in a thread of its own, which a call can stop waiting for."""

import copy
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from signer_core.deadline import Deadline
from signer_core.errors import BackendUnavailableError

T = TypeVar("T")


class Flight(Generic[T]):
    """``work()`` under way in a thread of its own; it goes on when nobody waits any more.

    Raises ``BackendUnavailableError``, retryable, where no thread can be had.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self.landed = threading.Event()
        thread = threading.Thread(target=self._run, name="signer-aws-kms", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise BackendUnavailableError(
                "no thread could be started for what takes its time", remedy="allow this process more threads"
            ) from error

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # SystemExit too: whoever waits must hear of it
            self._error = error
        finally:
            self.landed.set()

    def result(self, deadline: Deadline) -> T:
        """What ``work`` returns or raises; ``TimeoutError`` at the deadline, ``SignCancelledError`` if called off."""
        if not deadline.wait(self.landed):
            deadline.check()
            raise TimeoutError
        if self._error is not None:
            raise _to_one_caller(self._error)
        return self._results[0]


def _to_one_caller(error: BaseException) -> Exception:
    """The error for one of those who wait: raised by each, a shared one would grow by the traceback of each."""
    if not isinstance(error, Exception):
        return BackendUnavailableError(f"what was waited for was ended by {type(error).__name__}", retryable=False)
    own = copy.copy(error).with_traceback(error.__traceback__)
    own.__cause__, own.__suppress_context__ = error.__cause__, error.__suppress_context__
    return own
