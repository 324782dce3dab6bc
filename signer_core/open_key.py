"""A SigningKey in use: the way to a signature with it, decided once, and the calls that are on that way."""

import threading
from collections.abc import Callable

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import (
    InvalidSignatureError,
    MessageTooLargeError,
    PluginContractError,
    SignatureVerificationError,
    SignerError,
)
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey

#: The way of a message to its signature, under a deadline.
Way = Callable[[bytes, Deadline], bytes]


class OpenKey:
    """One key, from the first call that uses it to the last.

    A call says :meth:`enter` and :meth:`leave`. A *retired* key takes no new calls, and is closed when the last one
    leaves. ``enter`` and ``leave`` take no lock: adding to a set and taking from it are atomic, and a call that enters
    while the key is being retired sees that it is.
    """

    __slots__ = ("_close_error", "_closed", "_closing", "calls", "key", "key_id", "public_key", "retired", "sign")

    def __init__(self, key: SigningKey, sign: Way) -> None:
        self.key = key
        self.key_id = key.key_id
        self.public_key = key.public_key
        self.sign = sign
        self.retired = False
        self.calls: set[object] = set()
        self._close_error: BaseException | None = None
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: the calls of the parent's threads will never leave, nor their locks be released."""
        self.calls.clear()
        self._closing = threading.Lock()
        self._closed = threading.Event()

    def enter(self, call: object) -> bool:
        """Begin ``call``; False, and nothing to leave, if the key is retired."""
        self.calls.add(call)
        if self.retired:
            self.leave(call)
            return False
        return True

    def leave(self, call: object) -> None:
        """End ``call``."""
        self.calls.discard(call)
        if self.retired:
            self._close_if_idle()

    def retire(self) -> None:
        """Take no new calls; close when the running ones are over."""
        self.retired = True
        self._close_if_idle()

    def wait_closed(self) -> None:
        """Wait until the retired key is closed; raise :class:`PluginContractError` if its ``close`` failed."""
        self._closed.wait()
        if self._close_error is not None:
            raise PluginContractError(f"{describe(self.key)} failed to close") from self._close_error

    def _close_if_idle(self) -> None:
        with self._closing:
            if self.calls or self._closed.is_set():
                return
            try:
                self.key.close()
            except Exception as error:
                self._close_error = error
            self._closed.set()


def describe(key: SigningKey) -> str:
    """The key's class, for messages about what it did."""
    return f"{type(key).__module__}.{type(key).__qualname__}"


def check_key(key: object) -> SigningKey:
    """``key``, if it has what the contract asks of every key; else :class:`PluginContractError`."""
    if not isinstance(key, SigningKey):
        raise PluginContractError(f"a SigningKey was expected, not {type(key).__module__}.{type(key).__qualname__}")
    what = describe(key)
    facts = {
        "key_id": (key.key_id, str),
        "public_key": (key.public_key, PublicKey),
        "max_message_bytes": (key.max_message_bytes, int | None),
        "renew_after": (key.renew_after, float | int | None),
    }
    for name, (value, wanted) in facts.items():
        if not isinstance(value, wanted) or value == "":
            raise PluginContractError(f"{what}.{name} is {type(value).__name__}: see signer_core.hookspecs.SigningKey")
    return key


def way_to_sign(key: SigningKey, attempts: Attempts, *, verify: bool) -> Way:
    """The way of a message to a signature by ``key``, with no more steps than the configuration asks for."""
    way = _one_attempt(key)
    if not attempts.just_one:
        way = _retried(way, attempts)
    if key.max_message_bytes is not None:
        way = _size_checked(way, key.max_message_bytes)
    if verify:
        way = _verified(way, key.public_key)
    return way


def _one_attempt(key: SigningKey) -> Way:
    sign = key.sign

    def one_attempt(message: bytes, deadline: Deadline) -> bytes:
        try:
            signature = sign(message, deadline)
        except SignerError:
            raise
        except Exception as error:
            raise PluginContractError(
                f"{describe(key)}.sign raised {type(error).__name__}",
                remedy="a key must raise SignError or one of its subclasses; the cause tells its author more",
            ) from error
        if type(signature) is not bytes:
            raise PluginContractError(f"{describe(key)}.sign returned {type(signature).__name__} instead of bytes")
        return signature

    return one_attempt


def _size_checked(way: Way, limit: int) -> Way:
    def size_checked(message: bytes, deadline: Deadline) -> bytes:
        if len(message) > limit:
            raise MessageTooLargeError(
                f"the message has {len(message)} bytes, and this key signs at most {limit}",
                remedy="sign a digest of it, if whoever verifies agrees to that",
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
