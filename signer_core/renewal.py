"""Renewal of a key while it is in use: one caller refreshes, the others go on with the last good key."""

import logging
import math
import threading
from collections.abc import Callable

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import SignerError
from signer_core.hookspecs import SigningKey

_logger = logging.getLogger("signer_core")

#: The longest time in seconds until a failed renewal is tried again.
LONGEST_UNTIL_NEXT = 30.0


class Renewal:
    """Asks a key to renew itself once it is older than it wants to be.

    The work is done in a thread of its own, in a budget of its own, so that neither a short nor a cancelled call can
    break it off; the call that found the key too old waits for it, for at most half of its own time.
    """

    def __init__(
        self, current: Callable[[], SigningKey], replace: Callable[[SigningKey], None], attempts: Attempts
    ) -> None:
        self._current = current
        self._replace = replace
        self._attempts = attempts
        self._stop = threading.Event()
        self._due = math.inf
        self._schedule()
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: a renewal that ran in the parent will never end here."""
        self._single_flight = threading.Lock()

    def stop(self) -> None:
        """Start no renewal any more, and end the waits of a running one."""
        self._stop.set()

    def renew_if_due(self, deadline: Deadline) -> None:
        """Renew the key if it is time and nobody else is at it; return when that is done, or has taken too long."""
        if self._attempts.clock() < self._due or not self._single_flight.acquire(blocking=False):
            return
        done = threading.Event()
        threading.Thread(
            target=self._renew, args=(done, self._single_flight), name="signer-renewal", daemon=True
        ).start()
        remaining = deadline.remaining()
        deadline.wait(done, None if remaining is None else remaining / 2)

    def _renew(self, done: threading.Event, single_flight: threading.Lock) -> None:
        try:
            if self._attempts.clock() < self._due:
                return  # another caller was quicker between the look at the clock and the lock
            key = self._current()
            renewed = self._attempts.run(key.renew, self._attempts.deadline(None, self._stop))
            if renewed is not key:
                self._replace(renewed)
            self._schedule()
        except Exception as error:
            # Only what the library itself says is safe to log: a foreign exception may hold anything.
            reason = str(error) if isinstance(error, SignerError) else type(error).__name__
            _logger.warning("the key could not be renewed, and the last good one stays in use: %s", reason)
            self._due = self._attempts.clock() + min(self._current().renew_after or math.inf, LONGEST_UNTIL_NEXT)
        finally:
            single_flight.release()
            done.set()

    def _schedule(self) -> None:
        renew_after = self._current().renew_after
        self._due = math.inf if renew_after is None else self._attempts.clock() + renew_after
