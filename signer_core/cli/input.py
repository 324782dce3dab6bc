"""What the command reads: files, or standard input for ``-``."""

import sys

from signer_core.cli.failures import Failure, reason

STDIN = "-"


def read(path: str, *, limit: int | None = None) -> bytes:
    """The whole of the file ``path``; a :class:`Failure` if it has more than ``limit`` bytes, or cannot be read."""
    try:
        if path == STDIN:
            if sys.stdin is None:
                raise OSError("it is closed")
            content = sys.stdin.buffer.read(-1 if limit is None else limit + 1)
        else:
            with open(path, "rb") as file:
                content = file.read(-1 if limit is None else limit + 1)
    except OSError as error:
        raise Failure(f"{named(path)} cannot be read: {reason(error)}") from error
    if limit is not None and len(content) > limit:
        raise Failure(f"{named(path)} has more than {limit} bytes: it is something else")
    return content


def named(path: str) -> str:
    """How messages call it."""
    return "the standard input" if path == STDIN else path
