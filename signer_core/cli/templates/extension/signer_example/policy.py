"""A toy to be replaced: a policy that looks at each message, and counts what became of them."""

import logging
import threading
from collections import Counter

from signer_core import SignEvent, hookimpl
from signer_core.errors import PolicyViolationError

from signer_example import ExampleConfig

_logger = logging.getLogger("signer_example")


class ExamplePolicy:
    """Attached to one signer, whose threads share it: what changes in it is guarded by a lock."""

    def __init__(self, config: ExampleConfig) -> None:
        self._max_bytes = config.max_bytes
        self._forbidden = [text.encode() for text in config.forbidden]
        self._outcomes: Counter[str] = Counter()
        self._counting = threading.Lock()

    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> None:
        """Return to let the message be signed; raise to refuse it."""
        message = event.message or b""
        if len(message) > self._max_bytes:
            raise PolicyViolationError(
                f"the message has {len(message)} bytes, and at most {self._max_bytes} are signed"
            )
        if any(text in message for text in self._forbidden):
            raise PolicyViolationError("the message holds a text that is forbidden")

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        """Take note of the outcome. Whatever is raised here withholds the signature."""
        with self._counting:
            self._outcomes["signed" if error is None else type(error).__name__] += 1

    def close(self) -> None:
        """Called once, when no call asks any more."""
        _logger.info("outcomes: %s", dict(self._outcomes))
