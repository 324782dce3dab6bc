"""What is left to ssh-keygen: all that needs no private key."""

import os
from collections.abc import Sequence
from typing import NoReturn

from signer_core.cli.failures import Failure, reason

_PROGRAM = "ssh-keygen"


def verb(arguments: Sequence[str]) -> str | None:
    """What follows ``-Y``; None where there is no such option."""
    for each, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if each.startswith("-Y"):
            return each.removeprefix("-Y") or following
    return None


def become(arguments: Sequence[str]) -> NoReturn:
    """Go on as ssh-keygen, with these arguments."""
    try:
        os.execvp(_PROGRAM, [_PROGRAM, *arguments])  # noqa: S606 — what git would have run
    except OSError as error:
        raise Failure(f"{_PROGRAM} cannot be run: {reason(error)}", remedy="install OpenSSH's client") from error
