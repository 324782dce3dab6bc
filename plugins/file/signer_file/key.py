"""The key that a key file holds, open."""

from pathlib import Path
from typing import TYPE_CHECKING

from signer_core.deadline import Deadline
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class FileKey(SigningKey):
    """A private key in memory. Its ``key_id`` is the absolute path of its file."""

    def __init__(self, file: Path, private_key: "Ed25519PrivateKey") -> None:
        self._key_id = str(file)
        self._public_key = PublicKey.from_cryptography(private_key.public_key())
        self._sign = private_key.sign

    @property
    def key_id(self) -> str:
        """The absolute path of the key file."""
        return self._key_id

    @property
    def public_key(self) -> PublicKey:
        """The key's public half."""
        return self._public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """Sign at once; there is nothing to wait for."""
        return self._sign(message)
