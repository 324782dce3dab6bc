"""A SigningKey in use: the way to a signature with it, decided once, and the calls that are on that way."""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping

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

_logger = logging.getLogger("signer_core")

#: The way of a message to its signature, under a deadline.
Way = Callable[[bytes, Deadline], bytes]


class OpenKey:
    """One key, from the first call that uses it to the last.

    A call says :meth:`enter` and :meth:`leave`. A *retired* key takes no new calls, and is closed when the last one
    leaves. ``enter`` and ``leave`` take no lock: adding to a set and taking from it are atomic, and a call that enters
    while the key is being retired sees that it is. ``quick_calls`` counts calls that need no name: each adds an entry,
    looks at ``retired``, takes an entry, and says :meth:`close_if_idle` if the key is retired by then.
    """

    __slots__ = (
        "_changes",
        "_close_error",
        "_closed",
        "_closing",
        "calls",
        "key",
        "key_id",
        "public_key",
        "quick_calls",
        "retired",
        "sign",
    )

    def __init__(self, key: SigningKey, sign: Way) -> None:
        self.key = key
        self.key_id = key.key_id
        self.public_key = key.public_key
        self.sign = sign
        self.retired = False
        self.calls: set[object] = set()
        self.quick_calls: deque[None] = deque()
        self._close_error: Exception | None = None
        self._closing = False
        self._closed = threading.Event()
        self._changes = threading.Lock()

    def forget_other_threads(self) -> None:
        """In a forked child: the calls of the parent's threads will never leave, nor their locks be released."""
        self.calls.clear()
        self.quick_calls = deque()  # a new one: the call that forks, if one does, still takes itself from the old one
        self._changes = threading.Lock()
        self._closed = threading.Event()
        if self._closing:
            self._closed.set()  # or it never will be: the thread that closes the key is not here

    @property
    def is_closed(self) -> bool:
        """Whether the key was closed."""
        return self._closed.is_set()

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
            self.close_if_idle()

    def retire(self) -> None:
        """Take no new calls; close when the running ones are over."""
        self.retired = True
        self.close_if_idle()

    def wait_closed(self) -> None:
        """Wait until the retired key is closed; raise :class:`PluginContractError`, once, if its ``close`` failed."""
        self._closed.wait()
        error, self._close_error = self._close_error, None
        if error is not None:
            raise PluginContractError(f"{describe(self.key)} failed to close: {type(error).__name__}") from error

    def close_if_idle(self) -> None:
        """Close the retired key, if no call uses it any more."""
        with self._changes:
            if self.calls or self.quick_calls or self._closing:
                return
            self._closing = True
        try:
            self.key.close()
        except Exception as error:
            self._close_error = error
        finally:
            self._closed.set()


def describe(key: SigningKey) -> str:
    """The key's class, for messages about what it did."""
    return f"{type(key).__module__}.{type(key).__qualname__}"


def check_key(key: object) -> SigningKey:
    """``key``, if it has what the contract asks of every key; else :class:`PluginContractError`."""
    if not isinstance(key, SigningKey):
        raise PluginContractError(f"a SigningKey was expected, not {type(key).__module__}.{type(key).__qualname__}")
    for name, (is_right, right) in _FACTS.items():
        try:
            value = getattr(key, name)
        except SignerError:
            raise
        except Exception as error:
            raise PluginContractError(f"{describe(key)}.{name} raised {type(error).__name__}") from error
        if not is_right(value):
            shown = (
                "" if isinstance(value, str | PublicKey) else f" {value!r}" if isinstance(value, int | float) else ""
            )
            raise PluginContractError(
                f"{describe(key)}.{name} is {type(value).__name__}{shown}, and must be {right}",
                remedy="see signer_core.hookspecs.SigningKey",
            )
    return key


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= math.inf


#: What the properties of a key must be.
_FACTS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "key_id": (lambda value: isinstance(value, str) and value != "", "a text that is not empty"),
    "public_key": (lambda value: isinstance(value, PublicKey), "a PublicKey"),
    "max_message_bytes": (
        lambda value: value is None or (isinstance(value, int) and _is_number(value)),
        "a number of bytes or None",
    ),
    "renew_after": (lambda value: value is None or _is_number(value), "a number of seconds or None"),
}


def close_unwanted(key: SigningKey) -> None:
    """Close a key that nobody will use, on the way to an error that says more than one of closing it."""
    try:
        key.close()
    except Exception as error:
        _logger.warning("%s failed to close: %s", describe(key), type(error).__name__)


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
