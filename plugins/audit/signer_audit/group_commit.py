"""One commit for all threads that wait for one."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from signer_core.errors import ExtensionError, SignerError

T = TypeVar("T")


class _Ticket(Generic[T]):
    """What one thread wants to be committed, and what came of it."""

    __slots__ = ("error", "is_over", "item")

    def __init__(self, item: T) -> None:
        self.item = item
        self.is_over = False
        self.error: SignerError | None = None


class GroupCommit(Generic[T]):
    """Hands what threads submit to ``commit``, in their order, as much as there is at a time.

    A thread that finds no commit going on makes one for all that wait; those who come meanwhile wait for the next one.
    """

    def __init__(self, commit: Callable[[Sequence[T]], None]) -> None:
        self._commit = commit
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._changed = threading.Condition()
        self._waiting: list[_Ticket[T]] = []
        self._leader: _Ticket[T] | None = None

    def submit(self, item: T) -> None:
        """Return when ``item`` is committed. Raises :class:`SignerError` if that failed."""
        ticket = _Ticket(item)
        batch: list[_Ticket[T]] = []
        try:
            with self._changed:
                self._waiting.append(ticket)
                while self._leader is not None and not ticket.is_over:
                    self._changed.wait()
                if not ticket.is_over:
                    self._leader = ticket
                    batch, self._waiting = self._waiting, batch
            if batch:
                self._commit([each.item for each in batch])
        except BaseException as error:
            for each in batch:
                each.error = _for_another_thread(error)
            raise
        finally:
            with self._changed:
                if self._leader is ticket:
                    self._leader = None
                    for each in batch:
                        each.is_over = True
                    self._changed.notify_all()
                elif not ticket.is_over:  # interrupted while it waited
                    self._waiting = [each for each in self._waiting if each is not ticket]
        if ticket.error is not None:
            raise ticket.error


def _for_another_thread(error: BaseException) -> ExtensionError:
    """An error of its own for another thread than the one that met ``error``."""
    if isinstance(error, SignerError):
        return ExtensionError(error.message, remedy=error.remedy)
    return ExtensionError("the thread that wrote for this one, too, was broken off")
