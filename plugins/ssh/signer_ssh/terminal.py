"""Asking the user for a secret."""

import os

from signer_core.errors import ConfigError


def ask(name: str) -> bytes:
    """What the user types, unseen, when asked for ``name``.

    On the terminal itself: git keeps standard error for itself, and the standard input may be what is signed. Raises
    :class:`~signer_core.errors.ConfigError` where there is none.
    """
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would read from the standard input
        try:
            return os.fsencode(getpass.getpass(f"{name}: "))
        except (EOFError, getpass.GetPassWarning):
            pass
    raise ConfigError(
        f"nobody answered the question for the {name}",
        remedy='where there is no terminal, use "file:PATH" or "env:NAME"',
    )
