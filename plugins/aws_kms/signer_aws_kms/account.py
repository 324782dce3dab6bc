"""What the signers of one account share: credentials, connections, the clock's error."""

import functools
import hashlib
import os
import threading
import weakref
from typing import Any

from signer_aws_kms.chain import found_anew
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.dialer import Dialer
from signer_aws_kms.flight import Flight
from signer_aws_kms.key_names import region_of
from signer_aws_kms.pool import Pool
from signer_aws_kms.session import Place, find_place, session_of
from signer_aws_kms.transport import Transport
from signer_core.deadline import Deadline
from signer_core.forks import tell_after_fork


class Account:
    """One account at one endpoint, as one process sees it. Lives as long as a key uses it.

    ``session`` is a ``boto3.Session`` of the user's own, or None for the one that the options mean.
    """

    def __init__(self, config: AwsKmsConfig, session: Any = None) -> None:
        self.session = session  # by whose identity the cache tells accounts apart
        # botocore's session, inside boto3's, which does not offer what is needed
        core = session_of(config) if session is None else getattr(session, "_session", session)
        self.place: Place = find_place(core, config)
        self.credentials = Credentials(
            core.get_credentials,
            find_anew=functools.partial(found_anew, config, core.profile) if session is None else None,
        )
        self.pool = Pool(Dialer(self.place.route, self.place.tls), config.max_connections)
        self.transport = Transport(
            route=self.place.route,
            region=self.place.region,
            pool=self.pool,
            credentials=self.credentials,
            user_agent=_user_agent(),
        )
        self._users = 0
        self.forget_other_threads()
        tell_after_fork(self)
        weakref.finalize(self, self.pool.close_idle)  # the last resort, for keys that nobody closed

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Begin to use the account with one more key."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """End the use by one key; the last one closes the connections."""
        with self._lock:
            self._users -= 1
            unused = self._users == 0
        if unused:
            self.pool.close_idle()


class _Accounts:
    """The accounts in use: the one state of this package that belongs to the process."""

    def __init__(self) -> None:
        self._accounts: weakref.WeakValueDictionary[tuple[object, ...], Account] = weakref.WeakValueDictionary()
        self.forget_other_threads()
        tell_after_fork(self)

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._lock = threading.Lock()

    def open(self, config: AwsKmsConfig, session: Any, deadline: Deadline) -> Account:
        key = _cache_key(config, session)
        account = self._accounts.get(key)
        if account is None:  # importing botocore takes a while, and nobody knows what files it reads
            account = Flight(lambda: self._get_or_make(key, config, session)).result(deadline)
        return account

    def _get_or_make(self, key: tuple[object, ...], config: AwsKmsConfig, session: Any) -> Account:
        with self._lock:
            account = self._accounts.get(key)
            if account is None:
                account = self._accounts[key] = Account(config, session)
            return account


_accounts = _Accounts()


def open_account(config: AwsKmsConfig, deadline: Deadline, *, session: Any = None) -> Account:
    """The account of the options, or of the ``boto3.Session`` given: the one in use already, if there is one.

    Raises ``ConfigError``, ``TimeoutError`` and what a deadline does.
    """
    return _accounts.open(config, session, deadline)


def _cache_key(config: AwsKmsConfig, session: Any) -> tuple[object, ...]:
    """What must be the same for signers to share an account.

    Beside the process, profile, region, endpoint and pool size that is whatever else AWS's own settings in the
    environment say, as a digest, since they may be secrets; and a session that was given is never another one.
    """
    settings = sorted(item for item in os.environ.items() if item[0].startswith("AWS_") or "proxy" in item[0].lower())
    return (
        os.getpid(),
        config.profile,
        config.region or region_of(config.key_id),
        config.endpoint_url,
        config.allow_http,
        config.max_connections,
        None if session is None else id(session),
        hashlib.sha256(repr(settings).encode("utf-8", "surrogateescape")).digest(),
    )


def _user_agent() -> str:
    """What CloudTrail records as the caller."""
    from importlib.metadata import version

    return f"signer-aws-kms/{version('signer-aws-kms')} botocore/{version('botocore')}"
