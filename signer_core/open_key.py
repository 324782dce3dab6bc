"""A SigningKey in use, from the first call to the last."""

import logging
import threading
from collections import deque

from signer_core.hookspecs import SigningKey
from signer_core.key_contract import FOREIGN, Broken, broken_in_code, describe
from signer_core.way import Way

_logger = logging.getLogger("signer_core")


class OpenKey:
    """One key, its ways to a signature, and the calls that are on them.

    A call says :meth:`enter` and :meth:`leave`. A *retired* key takes no new calls, and is closed when the last one
    leaves. ``enter`` and ``leave`` take no lock: adding to a set and taking from it are atomic, and a call that enters
    while the key is being retired sees that it is. ``quick_calls`` counts calls that need no name: each adds an entry,
    looks at ``retired``, takes an entry, and says :meth:`close_if_idle` if the key is retired by then.
    """

    __slots__ = (
        "_broken",
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
        "sign_digest",
    )

    def __init__(self, key: SigningKey, sign: Way, sign_digest: Way, broken: Broken = broken_in_code) -> None:
        self.key = key
        self._broken = broken
        self.key_id = key.key_id
        self.public_key = key.public_key
        self.sign = sign
        self.sign_digest = sign_digest
        self.retired = False
        self.calls: set[object] = set()
        self.quick_calls: deque[None] = deque()
        self._close_error: BaseException | None = None
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

    def hold(self, part: object) -> None:
        """Begin a part of a call that has entered, and not left yet; :meth:`leave` ends it, perhaps after the call."""
        self.calls.add(part)

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
        """Wait until the retired key is closed."""
        self._closed.wait()

    def raise_close_error(self) -> None:
        """Raise :class:`PluginContractError`, once, if the key's ``close`` failed."""
        error, self._close_error = self._close_error, None
        if error is not None:
            raise self._broken(f"{describe(self.key)}.close raised {type(error).__name__}") from error

    def close_if_idle(self) -> None:
        """Close the retired key, if no call uses it any more."""
        with self._changes:
            if self.calls or self.quick_calls or self._closing:
                return
            self._closing = True
        try:
            self.key.close()
        except FOREIGN as error:
            _logger.warning("%s failed to close: %s", describe(self.key), type(error).__name__)
            self._close_error = error
        finally:
            self._closed.set()
