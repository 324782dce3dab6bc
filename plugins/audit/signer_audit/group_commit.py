"""One commit for all threads that wait for one."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from signer_core.errors import ExtensionError, SignerError

T = TypeVar("T")


class _Batch(Generic[T]):
    """What several threads want to be committed at once, and what came of it."""

    __slots__ = ("failure", "is_over", "items", "turn")

    def __init__(self) -> None:
        self.items: list[T] = []
        #: For the thread that commits it; the others see that it is over when their turn comes.
        self.turn = threading.Lock()
        self.is_over = False
        self.failure: ExtensionError | None = None


class GroupCommit(Generic[T]):
    """Hands what threads submit to ``commit``, in their order, as much as there is at a time.

    A thread commits what all have submitted until the commit before is over; who comes later is in the next batch.

    An interrupt, such as Ctrl-C, may come anywhere, and nobody may wait for ever then. So there are only plain locks in
    ``with``: no interrupt comes between taking one and what releases it, as it may inside a ``Condition``. A batch
    whose thread is interrupted before it commits is left to the next thread.
    """

    def __init__(self, commit: Callable[[Sequence[T]], None]) -> None:
        self._commit = commit
        self.forget_other_threads()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._joining = threading.Lock()
        self._committing = threading.Lock()
        self._next = _Batch[T]()

    def submit(self, item: T) -> None:
        """Return when ``item`` is committed. Raises :class:`SignerError` if that failed.

        Who is interrupted may have submitted it all the same.
        """
        with self._joining:
            batch = self._next
            batch.items.append(item)
        with batch.turn:
            if not batch.is_over:
                with self._committing:
                    self._finish(batch)
                return
        if batch.failure is not None:
            raise ExtensionError(batch.failure.message, remedy=batch.failure.remedy)

    def _finish(self, batch: _Batch[T]) -> None:
        with self._joining:
            if self._next is batch:
                self._next = _Batch()
        try:
            self._commit(batch.items)
        except BaseException as error:
            batch.failure = _for_another_thread(error)
            raise
        finally:
            batch.is_over = True


def _for_another_thread(error: BaseException) -> ExtensionError:
    """What another thread is told of an ``error``."""
    if isinstance(error, SignerError):
        return ExtensionError(error.message, remedy=error.remedy)
    return ExtensionError("the thread that wrote for this one, too, was broken off")
