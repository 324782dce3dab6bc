"""The accounts in use: the one state of this package that belongs to the process."""

import functools
import hashlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from signer_aws_kms.account import Account
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.key_names import region_of
from signer_aws_kms.single_flight import SingleFlight
from signer_core.deadline import Deadline
from signer_core.forks import tell_after_fork

#: Seconds for which an account is kept that was made when nobody waited for it any more.
_KEPT = 60.0
#: Variables that AWS's chain or the way to KMS heeds, beside those that begin with AWS_ and those of proxies.
_VARIABLES = frozenset({"REQUESTS_CA_BUNDLE", "BOTO_CONFIG", "HOME", "USERPROFILE"})
#: AWS's shared files: the variables that name them, and where they are otherwise.
_FILES = (("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"), ("AWS_CONFIG_FILE", "~/.aws/config"))

_Key = tuple[object, ...]


class Accounts:
    """Accounts, each for as long as a key uses it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: weakref.WeakValueDictionary[_Key, Account] = weakref.WeakValueDictionary()
        self.forget_other_threads()
        tell_after_fork(self)

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._lock = threading.Lock()
        self._openings: dict[_Key, tuple[SingleFlight[Account], float]] = {}

    def open(self, config: AwsKmsConfig, session: Any, deadline: Deadline) -> Account:
        """The account of the options or the session; see :func:`open_account`."""
        key = _key(config, session)
        account = self._accounts.get(key)
        if account is None:  # importing botocore takes a while, and nobody knows what files it reads
            account = self._opening(key, config, session).result(deadline)
        with self._lock:
            self._openings.pop(key, None)  # from now on it lives as long as those who took it
        return account

    def _opening(self, key: _Key, config: AwsKmsConfig, session: Any) -> SingleFlight[Account]:
        """The making of the account, by whoever it was begun. It goes on without those whose time is up, and keeps what
        it made for the next one who comes.
        """
        now = self._clock()
        with self._lock:
            for other, (opening, asked_at) in list(self._openings.items()):
                if now - asked_at > _KEPT and not opening.under_way:
                    del self._openings[other]
            if key in self._openings:
                opening, _ = self._openings[key]
            else:
                opening = SingleFlight(
                    lambda: self._accounts.get(key) or Account(config, session),
                    take=functools.partial(self._accounts.__setitem__, key),
                    clock=self._clock,
                )
            self._openings[key] = opening, now
            return opening


_accounts = Accounts()


def open_account(config: AwsKmsConfig, deadline: Deadline, *, session: Any = None) -> Account:
    """The account of the options, or of the ``boto3.Session`` given: the one in use already, if there is one.

    Raises ``ConfigError``, ``BackendUnavailableError``, ``TimeoutError`` and what a deadline does.
    """
    return _accounts.open(config, session, deadline)


def _key(config: AwsKmsConfig, session: Any) -> _Key:
    """What must be the same for signers to share an account.

    Beside the process, profile, region, endpoint and pool size that is whatever else AWS's own settings say, so that
    one who opens a signer gets what the environment and AWS's files have now; and a session that was given is never
    another one.
    """
    return (
        os.getpid(),
        config.profile,
        config.region or region_of(config.key_id),
        config.endpoint_url,
        config.allow_http,
        config.max_connections,
        None if session is None else id(session),
        _settings(),
    )


def _settings() -> bytes:
    """The settings in the environment, which may be secrets, and the state of AWS's files, as a digest."""
    variables = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("AWS_") or name in _VARIABLES or "proxy" in name.lower()
    )
    files = [_state(os.environ.get(variable, path)) for variable, path in _FILES]
    return hashlib.sha256(repr((variables, files)).encode("utf-8", "surrogateescape")).digest()


def _state(path: str) -> tuple[int, ...]:
    """What changes when a file does."""
    try:
        found = os.stat(os.path.expanduser(os.path.expandvars(path)))
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
