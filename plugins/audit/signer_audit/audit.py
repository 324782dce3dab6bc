"""What is attached to a signer: a line for each of its calls, before the call returns."""

import logging
import time
from collections.abc import Callable

from signer_audit.config import AuditConfig
from signer_audit.entry import GENESIS, record
from signer_audit.group_commit import GroupCommit
from signer_audit.log import Log
from signer_core.errors import ExtensionError
from signer_core.forks import tell_after_fork
from signer_core.hookspecs import SignEvent, hookimpl

_logger = logging.getLogger("signer_audit")


class Audit:
    """The audit log of one signer."""

    def __init__(self, config: AuditConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._log = Log(config.path, lock_timeout=config.lock_timeout)
        self._lines = GroupCommit(self._log.append)
        self._next_head = clock() + config.head_interval
        self._is_closed = False
        tell_after_fork(self)

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        """Put a line of the call on the disk. Raises :class:`SignerError` if that fails."""
        if self._is_closed:
            raise ExtensionError(f"the audit log {self._config.path} is closed")
        self._lines.submit(record(event, signature, error, time.time()))
        if (now := self._clock()) >= self._next_head:
            self._next_head = now + self._config.head_interval
            self._tell_head()

    def close(self) -> None:
        """Tell the last head, and close the log."""
        if self._is_closed:
            return
        self._is_closed = True
        self._tell_head()
        self._log.close()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._log.close()  # the parent's descriptor, and so its lock
        self._lines.forget_other_threads()

    def _tell_head(self) -> None:
        if self._log.head != GENESIS:
            _logger.info("head of %s: %s", self._config.path, self._log.head)
