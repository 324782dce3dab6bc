"""The file that names a key, as ``ssh-keygen -f`` takes it."""

import os

from signer_core import PublicKey
from signer_core.cli.failures import Failure
from signer_core.cli.input import read
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError

_LIMIT = 1024 * 1024  # bytes, far above any key


def read_public_key(path: str) -> PublicKey:
    """The OpenSSH public key in ``path``; or in ``path.pub``, where ``path`` is that of a private key.

    Raises :class:`~signer_core.errors.KeyFormatError`, :class:`~signer_core.errors.UnsupportedAlgorithmError`, and
    :class:`~signer_core.cli.failures.Failure` for a file that cannot be read.
    """
    try:
        return _parsed(path)
    except (Failure, KeyFormatError, UnsupportedAlgorithmError):
        if not os.path.exists(beside := f"{path}.pub"):
            raise
    return _parsed(beside)


def _parsed(path: str) -> PublicKey:
    lines = [line.strip() for line in read(path, limit=_LIMIT).splitlines()]
    try:
        return PublicKey.from_openssh(next((each for each in lines if each and not each.startswith(b"#")), b""))
    except (KeyFormatError, UnsupportedAlgorithmError) as error:
        raise type(error)(f"{path}: {error.message}", remedy=error.remedy) from None
