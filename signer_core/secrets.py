"""References to secrets: written in a configuration, resolved when the secret is used, never printed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from signer_core.errors import ConfigError
from signer_core.paths import absolute, working_directory

_FORMS = 'write "file:PATH", "env:NAME" or "prompt"; in code also Secret(b"…") or a callable'
_MAX_BYTES = 1024 * 1024  # far above any passphrase or token; keeps file:/dev/zero from filling the memory


class Secret:
    """Bytes that only :meth:`reveal` shows: neither ``repr`` nor an error nor a pickle holds them.

    ``Secret(b"…")`` holds a literal, ``Secret(callable)`` asks whenever the secret is used. Neither can be pickled; a
    reference out of a configuration can.
    """

    __slots__ = ("_resolve", "reference")

    def __init__(self, source: bytes | Callable[[], bytes]) -> None:
        if not isinstance(source, bytes) and not callable(source):
            raise TypeError(f"a Secret is made of bytes or of a callable, not of {type(source).__name__}")
        #: What can be written in a configuration, with an absolute path; None for a literal or a callable.
        self.reference: str | None = None
        self._resolve: Callable[[], bytes] = source if callable(source) else lambda: source

    @classmethod
    def from_reference(
        cls, reference: str, *, directory: Path | None = None, prompt: Callable[[], bytes] | None = None
    ) -> Self:
        """The secret that ``reference`` names; a relative path starts at ``directory``.

        ``prompt`` asks the user, on the command line. Raises :class:`~signer_core.errors.ConfigError`, which never
        repeats the reference: it may be the secret itself, written where a reference belongs.
        """
        kind, _, rest = reference.partition(":")
        if reference == "prompt":
            secret = cls(prompt or _no_prompt)
        elif kind == "file" and rest and "\0" not in rest:
            path = absolute(rest, directory or working_directory())
            secret, reference = cls(lambda: _read_file(path)), f"file:{path}"
        elif kind == "env" and rest and "\0" not in rest and "=" not in rest:
            secret = cls(lambda: _read_environment(rest))
        else:
            raise ConfigError("a secret is not written into the configuration, only where to find it", remedy=_FORMS)
        secret.reference = reference
        return secret

    def reveal(self) -> bytes:
        """The secret itself. Raises :class:`~signer_core.errors.ConfigError` if it cannot be had."""
        try:
            revealed: object = self._resolve()
        except ConfigError:
            raise
        except Exception as error:
            failure = type(error).__name__
        else:
            if isinstance(revealed, bytes):
                return revealed
            raise ConfigError(f"the callable of a Secret must return bytes, not {type(revealed).__name__}")
        # Raised out here, so that the exception, which may hold the secret, is not this one's __context__ either.
        raise ConfigError(f"the secret cannot be had: its callable raised {failure}")

    def __repr__(self) -> str:
        return f"Secret({self.reference or '…'!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.reference is None or self.reference == "prompt":
            raise TypeError('a literal, asked-for or computed secret is not pickled; use a "file:" or "env:" reference')
        return type(self).from_reference, (self.reference,)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no path"
        raise ConfigError(
            f"the secret file {path} cannot be read: {reason}", remedy="check its path and permissions"
        ) from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"the secret file {path} is larger than {_MAX_BYTES} bytes")
    return content.removesuffix(b"\r\n" if content.endswith(b"\r\n") else b"\n")


def _read_environment(name: str) -> bytes:
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(f"the environment variable {name} that holds the secret is not set", remedy="set it")
    return os.fsencode(value)


def _no_prompt() -> bytes:
    raise ConfigError('the secret "prompt" works on the command line only', remedy='use "file:PATH" or "env:NAME"')
