"""What the signers of one account share: credentials, connections, the clock's error."""

import functools
import os
import sys
import threading
import weakref
from typing import Any

from signer_aws_kms.chain import found_anew
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.dialer import Dialer
from signer_aws_kms.pool import Pool
from signer_aws_kms.session import Place, find_place, session_of
from signer_aws_kms.transport import Transport
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
        self._leases = 0
        self.forget_other_threads()
        tell_after_fork(self)
        weakref.finalize(self, self.pool.close_idle)  # the last resort, for keys that nobody closed

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._lock = threading.Lock()

    def lease(self) -> "Lease":
        """The use of the account by one key more."""
        with self._lock:
            self._leases += 1
        return Lease(self)

    def _end(self, lease: "Lease") -> None:
        with self._lock:
            self._leases -= not lease.ended
            lease.ended = True
            unused = self._leases == 0
        if unused:
            self.pool.close_idle()


class Lease:
    """The use of an account by one key."""

    __slots__ = ("_account", "ended")

    def __init__(self, account: Account) -> None:
        self._account = account
        self.ended = False

    def close(self) -> None:
        """End it; the end of the last one closes the account's connections. Twice is fine."""
        self._account._end(self)


def _user_agent() -> str:
    """What CloudTrail records as the caller."""
    from importlib.metadata import distributions

    import botocore

    # a place that is not there, as the usual python311.zip, would be tried as an archive, which is slow to begin
    (own, *_) = distributions(name="signer-aws-kms", path=[each for each in sys.path if os.path.exists(each or ".")])
    # version() would parse all of it, which takes a twentieth of the time to the first signature
    metadata = own.read_text("METADATA") or ""
    version = metadata.partition("\nVersion: ")[2].partition("\n")[0]
    return f"signer-aws-kms/{version} botocore/{botocore.__version__}"
