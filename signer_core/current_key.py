"""The key that a signer uses now: entered by its calls, renewed and replaced while they go on, closed at the end."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import SignerClosedError
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import close_unwanted
from signer_core.open_key import OpenKey

if TYPE_CHECKING:
    from signer_core.renewal import Renewal

_logger = logging.getLogger("signer_core")


class CurrentKey:
    """One reference to an :class:`OpenKey`, which changes when a renewal finds that the name means another key.

    ``accept`` checks a key and lays its way to a signature; ``owner`` is what log lines call the signer.
    """

    __slots__ = ("_accept", "_changes", "_closed", "_owner", "_renewal", "_replaced", "is_renewed", "open_key")

    def __init__(
        self, key: SigningKey, *, accept: Callable[[SigningKey], OpenKey], attempts: Attempts, owner: str
    ) -> None:
        self.open_key = accept(key)
        self._accept = accept
        self._owner = owner
        self._closed = False
        self._replaced: tuple[OpenKey, ...] = ()  # those that calls may still use
        self._changes = threading.Lock()
        #: Whether :meth:`renew_if_due` can ever have something to do: decided by the first key.
        self.is_renewed = key.renew_after is not None
        self._renewal = self._renewal_of(key, attempts) if self.is_renewed else None

    def check_open(self) -> None:
        """Raise :class:`SignerClosedError` if it is closed."""
        call = object()
        try:
            self.enter(call)
        finally:
            self.leave(call)

    def _renewal_of(self, key: SigningKey, attempts: Attempts) -> "Renewal":
        from signer_core.renewal import Renewal

        return Renewal(key, enter=self.enter, replace=self._replace, attempts=attempts)

    def enter(self, call: object) -> OpenKey:
        """Begin ``call`` with the key; :meth:`leave` ends it. Raises :class:`SignerClosedError`."""
        while not self._closed:
            open_key = self.open_key
            if open_key.enter(call):
                return open_key
        raise SignerClosedError("this signer is closed", remedy="open a new one with create_signer")

    def enter_renewed(self, call: object, deadline: Deadline) -> OpenKey:
        """Like :meth:`enter`, with the key renewed first if it is time; see :class:`~signer_core.renewal.Renewal`.

        The call is in from the beginning: a close waits for it while it waits for the renewal.
        """
        entered = self.enter(call)
        if self._renewal is None:
            return entered
        self._renewal.renew_if_due(deadline)
        newest = self.open_key
        while newest is not entered and not newest.enter(call):
            if self._closed:
                return entered
            newest = self.open_key
        if newest is not entered:
            entered.leave(call)
        return newest

    def leave(self, call: object) -> None:
        """End ``call``, whichever key it has entered, if any: an interrupt may have come between the two."""
        for open_key in (self.open_key, *self._replaced):  # in this order: see _replace
            open_key.leave(call)

    def close(self) -> None:
        """Let no call enter any more, wait for those that have, and close the key; see :meth:`raise_close_error`."""
        with self._changes:
            self._closed = True
            open_keys = (*self._replaced, self.open_key)
        if self._renewal is not None:
            self._renewal.stop()
        for open_key in open_keys:
            open_key.retire()
        for open_key in open_keys:
            open_key.wait_closed()

    def raise_close_error(self) -> None:
        """Raise :class:`PluginContractError`, once, if closing the key failed."""
        self.open_key.raise_close_error()

    def forget_other_threads(self) -> None:
        """In a forked child: the calls and the renewal of the parent's threads will never end here."""
        self._changes = threading.Lock()
        for open_key in (*self._replaced, self.open_key):
            open_key.forget_other_threads()
        if self._renewal is not None:
            self._renewal.forget_other_threads()

    def _replace(self, key: SigningKey) -> None:
        """Go on with ``key`` instead: one reference changes, and each call keeps the key that it began with."""
        try:
            accepted = self._accept(key)
            with self._changes:
                if self._closed:
                    raise SignerClosedError("the signer was closed while its key was renewed")
                replaced = self.open_key
                # First among the replaced, then replaced: so that leave() finds it in one place or in the other.
                self._replaced = (*(each for each in self._replaced if not each.is_closed), replaced)
                self.open_key = accepted
        except BaseException:
            if isinstance(key, SigningKey):
                close_unwanted(key)
            raise
        if replaced.public_key != accepted.public_key:
            _logger.warning(
                "the key of signer %s changed: %s, fingerprint %s, instead of %s, fingerprint %s",
                self._owner,
                accepted.key_id,
                accepted.public_key.fingerprint,
                replaced.key_id,
                replaced.public_key.fingerprint,
            )
        replaced.retire()  # where its close fails, the log says so: no caller of the signer's waits for it
