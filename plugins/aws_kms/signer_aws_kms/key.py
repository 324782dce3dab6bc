"""A key in AWS KMS that can sign."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from signer_aws_kms.account import Account
from signer_aws_kms.asked import Asked
from signer_aws_kms.config import TIMEOUT, AwsKmsConfig
from signer_aws_kms.sign_request import SignRequests
from signer_aws_kms.signing_algorithms import MAX_MESSAGE_BYTES
from signer_core.deadline import Deadline
from signer_core.errors import SignatureVerificationError
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey

if TYPE_CHECKING:
    import boto3.session


class AwsKmsKey(SigningKey):
    """A key for signing, pinned to the ARN and the public key that it had when it was opened."""

    def __init__(self, account: Account, config: AwsKmsConfig, arn: str, public_key: PublicKey) -> None:
        self._account = account
        self._config = config
        self._arn = arn
        self._public_key = public_key
        self._asked = Asked("Sign", arn, account.place.region)
        more = {"GrantTokens": config.grant_tokens} if config.grant_tokens else {}
        self._requests = SignRequests(arn, public_key, **more)
        self._lease = account.lease()

    @classmethod
    def open(
        cls,
        key_id: str,
        *,
        session: "boto3.session.Session | None" = None,
        timeout: float | str | None = TIMEOUT,
        **options: Any,
    ) -> "AwsKmsKey":
        """The key that ``key_id`` names, with the credentials of a session of your own.

        ``timeout`` is for opening, retries included: seconds or a text like "10s", None for no limit. ``options`` are
        those of the backend (see :class:`AwsKmsConfig`), a ``profile`` only where there is no session. A
        :class:`~signer_core.Signer` around it brings the rest::

            Signer(AwsKmsKey.open("alias/sequencer", session=session), timeout=10, attempt_timeout=3, max_retries=3)

        Raises :class:`~signer_core.errors.ConfigError` for options that are not right, and what opening raises.
        """
        from signer_aws_kms.in_code import open_in_code

        return open_in_code(key_id, options, session=session, timeout=timeout)

    @property
    def key_id(self) -> str:
        """The key's ARN, whatever name it was opened by."""
        return self._arn

    @property
    def public_key(self) -> PublicKey:
        """The public key that KMS gave when the key was opened."""
        return self._public_key

    @property
    def max_message_bytes(self) -> int | None:
        """None for a key that signs digests, so messages of any size; else 4096, KMS's limit."""
        return MAX_MESSAGE_BYTES if self._requests.of_digest is None else None

    @property
    def concurrency(self) -> int:
        """``max_connections``."""
        return self._config.max_connections

    @property
    def renew_after(self) -> float | None:
        """``cache_ttl``, or None if that is 0."""
        return self._config.cache_ttl or None

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """One call of Sign to the pinned key."""
        return self._signature(self._requests.of_message(message), deadline)

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        """One call of Sign to the pinned key, with a digest or the μ of ML-DSA, if the algorithm signs such."""
        if self._requests.of_digest is None:
            return super().sign_digest(digest, deadline)
        return self._signature(self._requests.of_digest(digest), deadline)

    def _signature(self, body: bytes, deadline: Deadline) -> bytes:
        answer = self._account.transport.call(self._asked, body, deadline)
        if answer.get("KeyId") != self._arn:
            raise SignatureVerificationError(
                f"KMS was asked for a signature by {self._arn}, and another key answered; what it said was thrown away",
                remedy="do not trust what answers at the endpoint",
            )
        try:
            signature = base64.b64decode(answer["Signature"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            from signer_aws_kms.failures import incomplete

            raise incomplete(self._asked, "signature") from None
        return signature

    def renew(self, deadline: Deadline) -> "AwsKmsKey":
        """This key if its name still means it, else the one that it means now."""
        from signer_aws_kms.opening import resolved

        arn, public_key = resolved(self._account, self._config, deadline)
        if (arn, public_key) == (self._arn, self._public_key):
            return self
        return AwsKmsKey(self._account, self._config, arn, public_key)

    def close(self) -> None:
        """End the use of the account; its last key closes the connections."""
        self._lease.close()

    def __repr__(self) -> str:
        return f"<AwsKmsKey {self._arn}>"
