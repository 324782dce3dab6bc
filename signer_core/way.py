"""The way of a message to its signature by one key: laid when the key is opened, with no more steps than it needs."""

from collections.abc import Callable

from signer_core.algorithms import FACTS
from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import (
    InvalidSignatureError,
    MessageTooLargeError,
    SignatureVerificationError,
    SignerError,
)
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import FOREIGN, Broken, broken_in_code, describe
from signer_core.public_key import PublicKey

#: From a message, under a deadline, to its signature.
Way = Callable[[bytes, Deadline], bytes]


def way_to_sign(key: SigningKey, attempts: Attempts, *, verify: bool, broken: Broken = broken_in_code) -> Way:
    """The way of a message to a signature by ``key``, with no more steps than the configuration asks for."""
    way = _one_attempt(key, broken)
    if not attempts.just_one:
        way = _retried(way, attempts)
    if key.max_message_bytes is not None:
        way = _size_checked(way, key.max_message_bytes, FACTS[key.public_key.algorithm].why_not_larger)
    if verify:
        way = _verified(way, key.public_key)
    return way


def _one_attempt(key: SigningKey, broken: Broken) -> Way:
    sign = key.sign

    def one_attempt(message: bytes, deadline: Deadline) -> bytes:
        try:
            signature = sign(message, deadline)
        except SignerError:
            raise
        except FOREIGN as error:
            raise broken(f"{describe(key)}.sign raised {type(error).__name__} instead of a SignError") from error
        if type(signature) is not bytes:
            raise broken(f"{describe(key)}.sign returned {type(signature).__name__} instead of bytes")
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
    def retried(message: bytes, deadline: Deadline) -> bytes:
        return attempts.run(lambda attempt: way(message, attempt), deadline)

    return retried


def _verified(way: Way, public_key: PublicKey) -> Way:
    def verified(message: bytes, deadline: Deadline) -> bytes:
        signature = way(message, deadline)
        try:
            public_key.verify(signature, message)
        except InvalidSignatureError as error:
            raise SignatureVerificationError(
                "the backend returned a signature that does not verify with its public key; it was thrown away",
                remedy="sign again; if it happens twice, the backend or the way to it is not to be trusted",
            ) from error
        return signature

    return verified
