"""The ways of a message and of a digest to their signatures by one key: laid when the key is opened, with no more steps
than they need.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from signer_core.algorithms import FACTS, prehash_of
from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import (
    InvalidSignatureError,
    MessageTooLargeError,
    SignatureVerificationError,
    SignerError,
    UnsupportedAlgorithmError,
)
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import FOREIGN, Broken, broken_in_code, describe

if TYPE_CHECKING:
    from signer_core.hedging import Hedge
    from signer_core.prehash import Prehash

_logger = logging.getLogger("signer_core")

#: From a message, or a digest of it, under a deadline, to its signature.
Way = Callable[[bytes, Deadline], bytes]
#: Raises InvalidSignatureError for a signature over something else.
_Verify = Callable[[bytes, bytes], None]


def way_to_sign(
    key: SigningKey,
    attempts: Attempts,
    *,
    verify: bool,
    broken: Broken = broken_in_code,
    hedge: "Hedge | None" = None,
) -> Way:
    """The way of a message to a signature by ``key``, with no more steps than the configuration asks for."""
    way = _one_attempt(key.sign, f"{describe(key)}.sign", broken)
    way = _tried(_verified(way, key.public_key.verify) if verify else way, attempts, hedge)
    if key.max_message_bytes is None:
        return way
    return _size_checked(way, key.max_message_bytes, FACTS[key.public_key.algorithm].why_not_larger)


def way_to_sign_digest(
    key: SigningKey,
    attempts: Attempts,
    *,
    verify: bool,
    broken: Broken = broken_in_code,
    hedge: "Hedge | None" = None,
) -> Way:
    """The same for a digest of the message, of the right length."""
    way = _one_attempt(key.sign_digest, f"{describe(key)}.sign_digest", broken)
    return _tried(_verified(way, key.public_key.verify_digest) if verify else way, attempts, hedge)


def prehash_signed_by(key: SigningKey, backend: str | None = None) -> "Prehash":
    """What ``key``, of that backend, signs in place of a message. Raises :class:`UnsupportedAlgorithmError`."""
    prehash = prehash_of(key.public_key.algorithm)
    if type(key).sign_digest is SigningKey.sign_digest:
        whose = describe(key) if backend is None else f"the backend {backend!r}"
        raise UnsupportedAlgorithmError(f"{whose} signs no digests", remedy="sign the message itself")
    return prehash


def _tried(way: Way, attempts: Attempts, hedge: "Hedge | None") -> Way:
    """``way``, which is one attempt, as often as it takes."""
    if hedge is not None:
        return _retried(hedge.hedged(way), hedge.hedging.races)
    return way if attempts.just_one else _retried(way, attempts)


def _one_attempt(sign: Way, name: str, broken: Broken) -> Way:
    was_late = False

    def one_attempt(content: bytes, deadline: Deadline) -> bytes:
        nonlocal was_late
        try:
            signature = sign(content, deadline)
        except SignerError:
            raise
        except FOREIGN as error:
            raise broken(f"{name} raised {type(error).__name__} instead of a SignError") from error
        if type(signature) is not bytes:
            raise broken(f"{name} returned {type(signature).__name__} instead of bytes")
        if deadline.seconds is not None and not was_late and deadline.remaining() == 0:
            was_late = True  # once says it: the next ones will be late, too
            _logger.warning("%s took longer than the %gs that its deadline gave it", name, deadline.seconds)
        return signature

    return one_attempt


def _size_checked(way: Way, limit: int, remedy: str) -> Way:
    def size_checked(message: bytes, deadline: Deadline) -> bytes:
        if len(message) > limit:
            raise MessageTooLargeError(
                f"the message has {len(message)} bytes, and this key signs at most {limit}",
                remedy=remedy,
                limit=limit,
                size=len(message),
            )
        return way(message, deadline)

    return size_checked


def _retried(way: Way, attempts: Attempts) -> Way:
    def retried(content: bytes, deadline: Deadline) -> bytes:
        return attempts.run(lambda attempt: way(content, attempt), deadline)

    return retried


def _verified(way: Way, verify: _Verify) -> Way:
    def verified(content: bytes, deadline: Deadline) -> bytes:
        signature = way(content, deadline)
        try:
            verify(signature, content)
        except InvalidSignatureError as error:
            raise SignatureVerificationError(
                "the backend returned a signature that does not verify with its public key; it was thrown away",
                remedy="sign again; if it happens twice, the backend or the way to it is not to be trusted",
            ) from error
        return signature

    return verified
