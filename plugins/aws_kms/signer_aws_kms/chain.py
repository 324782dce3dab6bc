"""AWS's chain of credentials, as botocore has it: what it finds, and what it takes to have that renewed.

Botocore has no way to renew credentials that AWS refuses before their time, nor to use any in a forked child. What is
private to it and is touched for that, is touched here.
"""

import threading
from collections.abc import Callable
from typing import Any

import attrs

from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.session import session_of
from signer_aws_kms.sigv4 import Keys


@attrs.frozen(eq=False, repr=False)
class Found:
    """Credentials, and the object of botocore's that renews them."""

    keys: Keys
    source: Any

    @property
    def method(self) -> str:
        """Where they come from, in botocore's words: "env", "shared-credentials-file", "iam-role"…"""
        return str(getattr(self.source, "method", "a session"))

    @property
    def expires_soon(self) -> bool:
        """It is time to renew them."""
        return self._expires(None)

    @property
    def expired(self) -> bool:
        """They are not good any more."""
        return self._expires(0)

    def _expires(self, within: int | None) -> bool:
        needed = getattr(self.source, "refresh_needed", None)  # credentials that never expire have none
        return bool(needed is not None and needed(within))


class Chain:
    """The chain of one session, in which ``find`` looks. ``find_anew`` looks again at all that it reads.

    Without ``find_anew``, as with a session of the user's own, ``find`` has the same object of botocore's each time.
    """

    def __init__(self, find: Callable[[], Any], find_anew: Callable[[], Any] | None = None) -> None:
        self._find = find
        self._find_anew = find_anew
        #: What must be left alone, since a thread hangs in it or may have been in it when the process was forked.
        self._busy: Any = None

    def forget_other_threads(self, held: Found | None) -> None:
        """In a forked child: the locks of the source may be held for ever, and its connections are the parent's."""
        source: Any = None if held is None else held.source
        if self._find_anew is not None:
            self._busy = source
            return
        while hasattr(source, "_refresh_lock"):
            source._refresh_lock = threading.Lock()
            source = getattr(getattr(source._refresh_using, "__self__", None), "_source_credentials", None)

    def load(self, held: Found | None, refused: Keys | None) -> Found | None:
        """The credentials, renewed if there are some and it is time or AWS ``refused`` them; None if there are none.

        Takes as long as the source likes, and raises what it likes.
        """
        if held is None:
            return _found(self._find())
        if held.source is not self._busy:
            try:
                renewed = self._renewed(held.source, refused)
            except Exception as error:
                from signer_aws_kms.outages import will_pass

                if self._find_anew is None or will_pass(error):
                    raise
            else:
                if self._find_anew is None or not same(renewed.keys, refused):
                    return renewed
        return _found((self._find_anew or self._find)())

    def _renewed(self, source: Any, refused: Keys | None) -> Found:
        self._busy = source
        try:
            return Found(_renewed_keys(source, refused), source)
        finally:
            if self._busy is source:
                self._busy = None


def same(keys: Keys, others: Keys | None) -> bool:
    """They are the same credentials, whichever objects they are in."""
    return others is not None and (
        (keys.access_key, keys.secret_key, keys.token) == (others.access_key, others.secret_key, others.token)
    )


def found_anew(config: AwsKmsConfig, profile: str | None) -> Any:
    """The credentials that a program finds which starts now; None if it would not look in ``profile``.

    Nobody is there to be asked for the code of an MFA device, so it is refused, as botocore refuses it at a renewal.
    """
    session = session_of(config)
    if session.profile != profile:
        return None
    session.get_component("credential_provider").get_provider("assume-role")._prompter = _refuse
    return session.get_credentials()


def _refuse(prompt: str) -> str:
    from botocore.exceptions import RefreshWithMFAUnsupportedError

    raise RefreshWithMFAUnsupportedError


def _found(source: Any) -> Found | None:
    return None if source is None else Found(source.get_frozen_credentials(), source)


def _renewed_keys(source: Any, refused: Keys | None) -> Any:
    from botocore.credentials import RefreshableCredentials

    if refused is not None and isinstance(source, RefreshableCredentials):
        with source._refresh_lock:
            if same(source._frozen_credentials, refused):
                source._protected_refresh(is_mandatory=True)
                return source._frozen_credentials
    return source.get_frozen_credentials()
