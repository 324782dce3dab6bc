"""Renewal of a key while it is in use: one caller refreshes, the others go on with the last good key."""

import logging
import math
import threading
from collections.abc import Callable

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import SignerClosedError, SignerError
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import FOREIGN, check_key
from signer_core.open_key import OpenKey

_logger = logging.getLogger("signer_core")

#: A failed renewal is tried again after as long as it was to be valid, within these limits, in seconds.
SHORTEST_UNTIL_NEXT = 1.0
LONGEST_UNTIL_NEXT = 30.0


class Renewal:
    """Asks a key to renew itself once it is older than it wants to be.

    The work is done in a thread of its own, in a budget of its own, so that neither a short nor a cancelled call can
    break it off; the call that found the key too old waits for it, for at most half of its own time.
    """

    def __init__(
        self,
        key: SigningKey,
        *,
        enter: Callable[[object], OpenKey],
        replace: Callable[[SigningKey], None],
        attempts: Attempts,
    ) -> None:
        self._enter = enter
        self._replace = replace
        self._attempts = attempts
        self._stop = threading.Event()
        self._single_flight = threading.Lock()
        self._renew_after = math.inf
        self._schedule(key)

    def forget_other_threads(self) -> None:
        """In a forked child: a renewal that ran in the parent will never end here, nor let go of a lock."""
        self._single_flight = threading.Lock()
        stopped = self._stop.is_set()
        self._stop = threading.Event()
        if stopped:
            self.stop()

    def stop(self) -> None:
        """End the waits of a running renewal."""
        self._stop.set()

    def renew_if_due(self, deadline: Deadline) -> None:
        """Renew the key if it is time and nobody else is at it; return when that is done, or has taken too long."""
        if self._attempts.clock() < self._due or self._stop.is_set():
            return
        single_flight = self._single_flight
        if not single_flight.acquire(blocking=False):
            return
        done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(done, single_flight), name="signer-renewal", daemon=True)
        try:
            renewing.start()
        except RuntimeError:  # no more threads, or the interpreter is about to end: the last good key will do
            single_flight.release()
            return
        remaining = deadline.remaining()
        deadline.wait(done, None if remaining is None else remaining / 2)

    def _renew(self, done: threading.Event, single_flight: threading.Lock) -> None:
        call = object()
        try:
            open_key = self._enter(call)  # as a call of its own, so that the key is not closed under it
            try:
                if self._attempts.clock() >= self._due:  # else another caller was quicker
                    self._renew_entered(open_key.key)
            finally:
                open_key.leave(call)
        except SignerClosedError:
            pass  # there is nothing to renew any more
        finally:
            single_flight.release()
            done.set()

    def _renew_entered(self, key: SigningKey) -> None:
        try:
            renewed = self._attempts.run(key.renew, self._attempts.deadline(None, self._stop))
            if renewed is not key:
                self._replace(renewed)
            self._schedule(renewed)
        except FOREIGN as error:
            # Only what the library itself says is safe to log: a foreign exception may hold anything.
            reason = str(error) if isinstance(error, SignerError) else type(error).__name__
            if not self._stop.is_set():
                _logger.warning("the key could not be renewed, and the last good one stays in use: %s", reason)
            self._due = self._attempts.clock() + min(max(self._renew_after, SHORTEST_UNTIL_NEXT), LONGEST_UNTIL_NEXT)

    def _schedule(self, key: SigningKey) -> None:
        renew_after = check_key(key).renew_after
        self._renew_after = math.inf if renew_after is None else renew_after
        self._due = self._attempts.clock() + self._renew_after
