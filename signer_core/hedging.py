"""The option ``hedge_after``: where it fits, and the attempts of a signer that has it.

Known as hedged requests (Dean and Barroso, "The Tail at Scale", 2013). Only where signing a message twice gives the
same bytes: else two signatures over one message would exist, of which the caller sees one.
"""

import threading
from collections.abc import Collection

from signer_core.algorithms import FACTS, Algorithm
from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import ConfigError
from signer_core.forks import tell_after_fork
from signer_core.race import Attempt, Held, Means, Race


def check_options(hedge_after: float, attempts: Attempts, *, verify: bool) -> None:
    """Raise :class:`ConfigError` where ``hedge_after``, in seconds, does not fit to the other options."""
    if not verify:
        raise ConfigError(
            "option 'hedge_after' lets the first verified signature win, and 'verify' is false",
            remedy="leave out verify, or hedge_after",
        )
    for name in ("attempt_timeout", "timeout"):
        limit = getattr(attempts, name)
        if limit is not None and hedge_after >= limit:
            raise ConfigError(
                f"option 'hedge_after' is {hedge_after:g}s, when each first attempt is over: {name} is {limit:g}s",
                remedy=f"make it shorter than {name}; a good value is the time in which 95 of 100 signatures are made",
            )


def check_algorithms(possible: Collection[Algorithm]) -> None:
    """Raise :class:`ConfigError` where none of the algorithms that a key may be for is deterministic."""
    possible = [each for each in FACTS if each in possible]
    if not any(FACTS[each].deterministic for each in possible):
        raise ConfigError(
            f"option 'hedge_after' is not for {' or '.join(possible)}, of which each attempt makes another signature",
            remedy="leave it out, or use a key for one of: "
            + ", ".join(each for each, facts in FACTS.items() if facts.deterministic),
        )


class Hedging:
    """A second attempt beside each of a signer's that has given no answer after ``hedge_after`` seconds.

    Raises :class:`ConfigError` as :func:`check_options` does.
    """

    def __init__(self, hedge_after: float, attempts: Attempts, *, verify: bool) -> None:
        check_options(hedge_after, attempts, verify=verify)
        self._hedge_after = min(hedge_after, threading.TIMEOUT_MAX)
        #: Bounds each of the two attempts, ...
        self._attempt_timeout = attempts.attempt_timeout
        #: ... and so not their race, which is what is tried again where both have failed.
        self.races = Attempts(
            timeout=attempts.timeout, max_retries=attempts.max_retries, clock=attempts.clock, jitter=attempts.jitter
        )
        self.forget_other_threads()
        tell_after_fork(self)

    def of(self, algorithm: Algorithm) -> "Hedge":
        """The hedging of one key. Raises :class:`ConfigError` unless its algorithm is deterministic."""
        check_algorithms([algorithm])
        return Hedge(self)

    def end_threads(self) -> None:
        """Let the threads end. Before, the key was closed, which waits for all attempts."""
        self.means.threads.close()

    def forget_other_threads(self) -> None:
        """In a forked child, and at the beginning: nobody is at anything."""
        self.means = Means(self._hedge_after, self._attempt_timeout)


class Hedge:
    """The hedging of one key."""

    __slots__ = ("hedging", "key")

    #: Set once the key is in use.
    key: Held

    def __init__(self, hedging: Hedging) -> None:
        self.hedging = hedging

    def hedged(self, attempt: Attempt) -> Attempt:
        """``attempt``, which ends with a verified signature, with a second one beside it where it is slow."""

        def hedged(content: bytes, deadline: Deadline) -> bytes:
            return Race(self.hedging.means, self.key, attempt, content, deadline).signature()

        return hedged
