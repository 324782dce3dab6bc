"""What the command reads: files, or standard input for ``-``."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO

from signer_core.cli.failures import Failure, reason

STDIN = "-"

#: In bytes: so much is read at a time of what is not kept.
PIECE = 1024 * 1024


def read(path: str, *, limit: int | None = None) -> bytes:
    """The whole of the file ``path``; a :class:`Failure` if it has more than ``limit`` bytes, or cannot be read."""
    with opened(path) as file:
        content = file.read(None if limit is None else limit + 1)
    if limit is not None and len(content) > limit:
        raise Failure(f"{named(path)} has more than {limit} bytes: it is something else")
    return content


def named(path: str) -> str:
    """How messages call it."""
    return "the standard input" if path == STDIN else path


class Input:
    """A file that is open for reading, or standard input; where reading fails, a :class:`Failure` names it."""

    def __init__(self, name: str, file: IO[bytes], size: int | None) -> None:
        self.name = name
        self._file = file
        #: In bytes; None where it is not known before the end.
        self.size = size

    def read(self, limit: int | None = None) -> bytes:
        """All that is left, or ``limit`` bytes of it."""
        with _reading(self.name):
            return self._file.read(-1 if limit is None else limit)

    def pieces(self) -> Iterator[memoryview]:
        """All that is left, in pieces of which each is there until the next one is asked for."""
        buffer = memoryview(bytearray(PIECE))
        while True:
            with _reading(self.name):
                count = self._file.readinto(buffer)  # type: ignore[attr-defined]
            if not count:
                return
            yield buffer[:count]


@contextlib.contextmanager
def opened(path: str) -> Iterator[Input]:
    """The file ``path``, open."""
    name = named(path)
    with contextlib.ExitStack() as stack:
        with _reading(name):
            if path == STDIN:
                file, size = standard_input(), None
            else:
                file = stack.enter_context(open(path, "rb"))
                status = os.fstat(file.fileno())
                size = status.st_size if stat.S_ISREG(status.st_mode) else None
        yield Input(name, file, size)


def standard_input() -> IO[bytes]:
    """The standard input. Raises OSError, also for one that tells no end from nothing yet, as who shares it made it: a
    part would be taken for the whole.
    """
    if sys.stdin is None:
        raise OSError("it is closed")
    file = sys.stdin.buffer
    try:
        descriptor = file.fileno()
    except OSError:  # it is in memory
        return file
    if os.name == "posix" and not os.get_blocking(descriptor):
        raise OSError("it is non-blocking; `cat |` before the command makes it another one")
    return file


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Failure(f"{name} cannot be read: {reason(error)}") from error
