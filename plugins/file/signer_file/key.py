"""The key that a key file holds, open."""

from pathlib import Path
from typing import Any

from signer_core.algorithms import FACTS, Algorithm
from signer_core.deadline import Deadline
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey


class FileKey(SigningKey):
    """A private key of cryptography's in memory. Its ``key_id`` is the absolute path of its file."""

    def __init__(self, file: Path, private_key: Any, algorithm: Algorithm | None = None) -> None:
        self._key_id = str(file)
        self._public_key = PublicKey.from_cryptography(private_key.public_key(), algorithm=algorithm)
        scheme = FACTS[self._public_key.algorithm].scheme
        self._sign = scheme.signer(private_key)
        self._sign_digest = scheme.digest_signer(private_key)

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

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        """Sign at once, if the algorithm signs digests."""
        return super().sign_digest(digest, deadline) if self._sign_digest is None else self._sign_digest(digest)
