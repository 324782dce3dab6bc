"""One extension as it is attached to a signer: the hooks of its object, and what becomes of what they raise."""

import inspect
import logging

from signer_core.errors import ExtensionError, PluginContractError, PolicyViolationError, SignerError
from signer_core.hooks import hooks_of, implementation
from signer_core.hookspecs import AttachedHooks
from signer_core.key_contract import FOREIGN, Broken

_logger = logging.getLogger("signer_core")


class AnsweredError(Exception):
    """A hook that has nothing to return returned something: its author may have meant it for a refusal."""


class Attached:
    """An extension of one signer, held to the contract. ``broken`` makes the error for where it does not keep it."""

    __slots__ = ("_broken", "_close", "after", "attached", "before", "name")

    def __init__(self, name: str, attached: object, broken: Broken) -> None:
        self.name = name
        self.attached = attached
        self._broken = broken
        if attached is None or isinstance(attached, type):
            raise broken(f"it attaches {attached!r} instead of an object with hooks")
        hooks = hooks_of(attached, AttachedHooks, broken)
        #: The hooks, each to be called with all its arguments by position; None for one that it does not have.
        self.before = implementation(hooks.signer_before_sign, broken)
        self.after = implementation(hooks.signer_after_sign, broken)
        if self.before is None and self.after is None:
            kind = f"{type(attached).__module__}.{type(attached).__qualname__}"
            raise broken(f"what it attaches, {kind}, has neither signer_before_sign nor signer_after_sign")
        try:
            self._close = getattr(attached, "close", None)
        except FOREIGN as error:
            raise broken(f"close raised {type(error).__name__}") from error
        if self._close is not None and (not callable(self._close) or inspect.iscoroutinefunction(self._close)):
            raise broken("close is not a function that can be called, and not awaited")

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
