"""The credentials of an account: found once, and renewed before they expire while signing goes on.

What finds and renews them may wait on networks and other programs for as long as these like, so it runs in a flight,
never in the thread of a call; and however many calls there are, it is not asked again and again for what it does not
have.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import attrs

from signer_aws_kms.chain import Chain, Found, same
from signer_aws_kms.pause import Pause
from signer_aws_kms.sigv4 import Keys
from signer_aws_kms.single_flight import SingleFlight
from signer_core.deadline import Deadline
from signer_core.errors import AccessDeniedError, BackendUnavailableError
from signer_core.forks import tell_after_fork

_logger = logging.getLogger("signer_aws_kms")

#: Seconds between two looks at the time at which credentials expire.
_LOOK = 1.0
#: The longest pauses, in seconds, between two attempts to renew credentials: while they are good, and when not.
_LONGEST_WHILE_GOOD = 60.0
_LONGEST_WHILE_BAD = 5.0


class Credentials:
    """The credentials that requests are signed with now. ``find`` asks boto3's session; see :class:`Chain`."""

    def __init__(
        self,
        find: Callable[[], Any],
        *,
        find_anew: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chain = Chain(find, find_anew)
        self._clock = clock
        self._found: Found | None = None
        self._refused: Keys | None = None
        self._look_at = -math.inf
        self._last: Found | _Failure | None = None
        self._pause = Pause(longest=_LONGEST_WHILE_GOOD, clock=clock)
        self._loading = SingleFlight(self._load, take=self._take, clock=clock)
        tell_after_fork(self)

    def forget_other_threads(self) -> None:
        """In a forked child: a thread of the parent's may have been renewing."""
        self._loading.forget_other_threads()
        self._chain.forget_other_threads(self._found)

    @property
    def method(self) -> str:
        """Where they come from, in botocore's words."""
        return "a session" if self._found is None else self._found.method

    def current(self, deadline: Deadline) -> Keys:
        """Credentials that are good now. Raises ``AccessDeniedError``, ``TimeoutError`` and what a deadline does."""
        found = self._found
        if found is None:
            return self._loaded(deadline).keys
        now = self._clock()
        if now >= self._look_at:
            if found.expired:
                return self._loaded(deadline).keys
            self._look_at = now + _LOOK
            if found.expires_soon:
                self._renew_aside()
        return found.keys

    def replace(self, refused: Keys, deadline: Deadline) -> bool:
        """Find others than those that AWS refused, before their time; False where there are none."""
        found = self._found
        if found is not None and same(found.keys, refused):
            if not same(refused, self._refused):
                self._refused = refused
                self._pause.end()
            found = self._loaded(deadline)
        return found is not None and not same(found.keys, refused)

    def _loaded(self, deadline: Deadline) -> Found:
        """What the source has; what it had, if that was just now."""
        last = self._last
        if last is None or not self._pause.left(longest=_LONGEST_WHILE_BAD):
            last = self._loading.result(deadline)
        if isinstance(last, _Failure):
            raise last.error(self._pause.left(longest=_LONGEST_WHILE_BAD))
        return last

    def _renew_aside(self) -> None:
        """Begin to renew, if it is time, while those that are good are in use."""
        if self._pause.left():
            return
        try:
            self._loading.begin()
        except BackendUnavailableError as error:
            self._pause.begin()
            _logger.warning("the AWS credentials could not be renewed yet: %s", error.message)

    def _load(self) -> "Found | _Failure":
        """Find or renew."""
        held = self._found
        loaded = self._asked(held)
        if isinstance(loaded, _Failure) and held is not None and not held.expired:
            _logger.warning("%s; those that are there stay in use", loaded.message)
        return loaded

    def _asked(self, held: Found | None) -> "Found | _Failure":
        """What the chain has now. A failure is returned, so that no error of botocore's, which may quote what a
        credential process wrote, is in the context of what is raised.
        """
        try:
            found = self._chain.load(held, refused := self._refused)
            if refused is not self._refused:  # AWS refused those that are there meanwhile
                found = self._chain.load(held, self._refused)
        except BaseException as error:  # a source may be anything, and may end with SystemExit
            from signer_aws_kms.outages import named, remedy, will_pass

            return _Failure(
                f"the AWS credentials could not be {'found' if held is None else 'renewed'}: {named(error)}",
                remedy(error),
                will_pass(error),
            )
        if found is not None and _usable(found.keys):
            return found
        return _Failure(
            "there are no AWS credentials" if found is None else "the AWS credentials have impossible characters",
            "set AWS_PROFILE or the option profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role",
        )

    def _take(self, loaded: "Found | _Failure") -> None:
        held, self._last = self._found, loaded
        if isinstance(loaded, Found):
            self._found = loaded
        if held is None:
            return  # what nobody had yet is asked for by all who open a key
        if isinstance(loaded, Found) and not same(loaded.keys, held.keys) and not loaded.expires_soon:
            self._pause.end()
        else:
            self._pause.begin()


@attrs.frozen(eq=False, repr=False)
class _Failure:
    """Why there are no credentials, or no others."""

    message: str
    remedy: str
    passing: bool = False

    def error(self, pause: float) -> AccessDeniedError:
        """The error, for one caller; ``pause`` is how long the source is left alone."""
        retry_after = pause if self.passing and pause else None
        return AccessDeniedError(self.message, remedy=self.remedy, retryable=self.passing, retry_after=retry_after)


def _usable(keys: Keys) -> bool:
    """They are there, and can stand in a header."""
    texts = (keys.access_key, keys.secret_key, keys.token or "-")
    return all(text and text.isascii() and text.isprintable() and text.strip() == text for text in texts)
