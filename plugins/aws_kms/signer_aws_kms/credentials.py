"""The credentials of an account: found once, and renewed before they expire while signing goes on.

boto3's session finds and renews them. Both may wait on networks and other programs for as long as these like, so both
happen in a flight, never in the thread of a call.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from signer_aws_kms.flight import SingleFlight
from signer_aws_kms.sigv4 import Keys
from signer_core.deadline import Deadline
from signer_core.errors import AccessDeniedError, SignError
from signer_core.forks import tell_after_fork

_logger = logging.getLogger("signer_aws_kms")

#: Seconds between two looks at the time at which credentials expire.
_LOOK = 1.0
#: Errors of botocore's that tell of a source which is away, not of one that refuses.
_PASSING = frozenset(
    {"ConnectTimeoutError", "ReadTimeoutError", "EndpointConnectionError", "ConnectionClosedError", "HTTPClientError"}
)


class Credentials:
    """The credentials that requests are signed with now. ``find`` asks boto3's session."""

    def __init__(self, find: Callable[[], Any], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._found: Any = None
        self._keys: Keys | None = None
        self._look_at = 0.0
        self._loading = SingleFlight(self._load)
        tell_after_fork(self)

    def forget_other_threads(self) -> None:
        """In a forked child: a thread of the parent's may have been renewing, and hold the lock for that."""
        self._loading.forget_other_threads()
        if hasattr(self._found, "_refresh_lock"):  # botocore has no other way to say this
            self._found._refresh_lock = threading.Lock()

    @property
    def method(self) -> str:
        """Where they come from, in botocore's words: "env", "shared-credentials-file", "iam-role"…"""
        return str(getattr(self._found, "method", "a session"))

    def current(self, deadline: Deadline) -> Keys:
        """Credentials that are good now. Raises ``AccessDeniedError``, ``TimeoutError`` and what a deadline does."""
        keys = self._keys
        if keys is not None:
            now = self._clock()
            if now < self._look_at:
                return keys
            if not self._expires(within=None):
                self._look_at = now + _LOOK
                return keys
            if not self._expires(within=0):
                self._look_at = now + _LOOK
                self._loading.begin()
                return keys
        return self._unwrapped(self._loading.result(deadline))

    def replace(self, expired: Keys, deadline: Deadline) -> bool:
        """Renew credentials that AWS calls expired; False where they cannot be renewed."""
        if self._keys is expired:
            if not hasattr(self._found, "_time_fetcher"):
                return False
            self._found._expiry_time = self._found._time_fetcher()  # botocore has no other way to say this
            self._unwrapped(self._loading.result(deadline))
        return self._keys is not expired

    def _expires(self, *, within: int | None) -> bool:
        """Whether the credentials expire in ``within`` seconds; None: so soon that they should be renewed."""
        needed = getattr(self._found, "refresh_needed", None)  # credentials that never expire have none
        return bool(needed is not None and needed(within))

    def _unwrapped(self, loaded: "Keys | SignError") -> Keys:
        if isinstance(loaded, SignError):
            raise loaded
        return loaded

    def _load(self) -> "Keys | SignError":
        """Find or renew. An error is returned, so that no error of botocore's, which may quote what a credential
        process wrote, is in its context.
        """
        try:
            found = self._found = self._found or self._find()
            keys: Keys | None = None if found is None else found.get_frozen_credentials()
        except Exception as error:
            if self._keys is not None and not self._expires(within=0):
                _logger.warning("the AWS credentials could not be renewed yet: %s", type(error).__name__)
                return self._keys
            name = type(error).__name__
            loading_failed = AccessDeniedError(
                f"the AWS credentials could not be {'found' if self._keys is None else 'renewed'}: {name}",
                remedy="`aws sts get-caller-identity` takes the same way to them, and tells more",
                retryable=name in _PASSING,
            )
        else:
            if keys is not None and _usable(keys):
                self._keys = keys
                self._look_at = 0.0
                return keys
            loading_failed = AccessDeniedError(
                "there are no AWS credentials" if keys is None else "the AWS credentials have impossible characters",
                remedy="set AWS_PROFILE or the option profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role",
            )
        return loading_failed


def _usable(keys: Keys) -> bool:
    """They are there, and can stand in a header."""
    texts = (keys.access_key, keys.secret_key, keys.token or "-")
    return all(text and text.isascii() and text.isprintable() and text.strip() == text for text in texts)
