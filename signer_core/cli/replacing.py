"""Many files that are replaced: together on their way to the disk, and one after another where they are seen."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from signer_core.cli.interruption import Interruption
from signer_core.cli.output import Replacement
from signer_core.errors import SignError
from signer_core.parallel import submitted, threads

#: So many files are written at a time. A disk takes about as long to sync many of them as to sync one.
_AT_ONCE = 8


class Replacing:
    """Replaces files in the order in which they are added; at the end of the ``with`` each of them is in its place.

    None of them is there in part, and when one cannot be written, those after it are not replaced.
    """

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._waiting: deque[tuple[Replacement, Future[None], Callable[[], None]]] = deque()
        self._threads = threads(_AT_ONCE)

    def add(self, path: str, content: bytes, placed: Callable[[], None]) -> None:
        """Replace the file at ``path``; ``placed()`` is called when, and only if, it was."""
        with self._interruption.held():
            replacement = Replacement(path, content)
            try:
                writing = submitted(self._threads, replacement.write)
            except SignError:  # no thread can be started; but one that there is may be at it
                self._threads.shutdown()
                replacement.discard()
                raise
            self._waiting.append((replacement, writing, placed))
        while self._waiting and (len(self._waiting) > _AT_ONCE or self._waiting[0][1].done()):
            self._place_first()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._interruption.held():
            try:
                while self._waiting:
                    self._place_first()
            finally:
                self._threads.shutdown()
                for each in self._waiting:
                    each[0].discard()
                self._waiting.clear()

    def _place_first(self) -> None:
        replacement, writing, placed = self._waiting[0]
        writing.result()
        with self._interruption.held():
            replacement.take_place()
            self._waiting.popleft()
            placed()
