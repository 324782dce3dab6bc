"""One extension as it is attached to a signer: the hooks of its object, and what becomes of what they raise."""

import inspect
import logging
from collections.abc import Callable

from signer_core.errors import ExtensionError, PluginContractError, PolicyViolationError, SignerError
from signer_core.hooks import hooks_of, implementation
from signer_core.hookspecs import AttachedHooks
from signer_core.key_contract import FOREIGN, Broken

_logger = logging.getLogger("signer_core")

_Hook = Callable[..., object]


class AnsweredError(Exception):
    """A hook that has nothing to return returned something: its author may have meant it for a refusal."""


class Attached:
    """An extension of one signer, held to the contract. ``broken`` makes the error for where it does not keep it.

    ``needs_message``: it refuses where only a digest is signed; None: the object says so by an attribute of that name.
    """

    __slots__ = ("_broken", "_close", "attached", "digest_hooks", "hooks", "name", "needs_message")

    def __init__(self, name: str, attached: object, broken: Broken, *, needs_message: bool | None = None) -> None:
        self.name = name
        self.attached = attached
        self._broken = broken
        if attached is None or isinstance(attached, type):
            raise broken(f"it attaches {attached!r} instead of an object with hooks")
        hooks = hooks_of(attached, AttachedHooks, broken)
        before = implementation(hooks.signer_before_sign, broken)
        after = implementation(hooks.signer_after_sign, broken)
        #: The hooks, before and after, each to be called with all its arguments by position; None for one that it does
        #: not have.
        self.hooks = before, after
        if before is None and after is None:
            kind = f"{type(attached).__module__}.{type(attached).__qualname__}"
            raise broken(f"what it attaches, {kind}, has neither signer_before_sign nor signer_after_sign")
        if needs_message is None:
            needs_message = getattr(attached, "needs_message", True) is not False
        self.needs_message = needs_message
        #: The same where only a digest is signed: what needs the message is neither asked nor told.
        self.digest_hooks: tuple[_Hook | None, _Hook | None] = (
            (self._refuse_digest, None) if needs_message else self.hooks
        )
        try:
            self._close = getattr(attached, "close", None)
        except FOREIGN as error:
            raise broken(f"close raised {type(error).__name__}") from error
        if self._close is not None and (not callable(self._close) or inspect.iscoroutinefunction(self._close)):
            raise broken("close is not a function that can be called, and not awaited")

    def refusal_of_digests(self) -> PolicyViolationError:
        """The error of an extension that needs the message, where only a digest is to be signed."""
        error = PolicyViolationError(
            f"extension {self.name!r} refused: it judges by the message, and here only a digest is to be signed",
            remedy="sign the message itself, or leave the extension out",
        )
        error.extension = self.name
        return error

    def _refuse_digest(self, _: object) -> None:
        raise self.refusal_of_digests()

    def failure(self, hook: str, error: BaseException) -> BaseException:
        """What the library lets out for what a hook raised: an error that names the extension, or an interrupt."""
        if isinstance(error, PolicyViolationError | ExtensionError):
            if error.extension != self.name:  # else it raises the same instance as last time
                error.extension = self.name
                done = "refused" if isinstance(error, PolicyViolationError) else "failed"
                error.message = f"extension {self.name!r} {done}: {error.message}"
            return error
        if isinstance(error, AnsweredError):
            return self._broken(f"{hook} returned {error} instead of None")
        if not isinstance(error, FOREIGN):
            return error
        if isinstance(error, SignerError):
            what, remedy, retryable = error.message, error.remedy, error.retryable
        else:  # its text may hold anything
            what, remedy, retryable = f"{hook} raised {type(error).__name__}", None, False
        failure = ExtensionError(f"extension {self.name!r} failed: {what}", remedy=remedy, retryable=retryable)
        failure.extension = self.name
        failure.__cause__ = error
        return failure

    def close(self) -> PluginContractError | None:
        """Close the object, if there is something to close. Where that fails, the log says so, and it is returned."""
        if self._close is None:
            return None
        try:
            self._close()
        except FOREIGN as error:
            _logger.warning("extension %r failed to close: %s", self.name, type(error).__name__)
            failure = self._broken(f"close raised {type(error).__name__}")
            failure.__cause__ = error
            return failure
        return None
