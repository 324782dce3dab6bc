"""A plugin for pytest: what a passphrase is stretched to is worked out once, and not for each mutant again.

mutmut runs the tests first, and forks for each mutant then; so each mutant knows what the first run worked out.
"""

import functools
from typing import Any

import cryptography.hazmat.primitives.kdf.argon2 as module


class _Remembering:
    """cryptography's ``Argon2id``, for who calls ``derive``."""

    def __init__(self, **parameters: Any) -> None:
        _Argon2id(**parameters)  # which refuses what cannot be
        self._parameters = tuple(sorted(parameters.items()))

    def derive(self, passphrase: bytes) -> bytes:
        return _derived(passphrase, self._parameters)


@functools.cache
def _derived(passphrase: bytes, parameters: tuple[tuple[str, Any], ...]) -> bytes:
    derived: bytes = _Argon2id(**dict(parameters)).derive(passphrase)
    return derived


_Argon2id, module.Argon2id = module.Argon2id, _Remembering  # type: ignore[assignment]
