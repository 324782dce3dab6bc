"""What can be signed in place of a message: a value that is computed from it piece by piece, so that it may be of any
size.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class Hasher(Protocol):
    """A hash object, as those of :mod:`hashlib` are; ``hashlib.file_digest`` works with it."""

    @property
    def name(self) -> str:
        """The name of what it computes: "sha256"."""

    @property
    def digest_size(self) -> int:
        """The bytes of a digest."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take the next piece of the message."""

    def digest(self) -> bytes:
        """The digest of what it was given so far."""

    def hexdigest(self) -> str:
        """The same in hex."""


class Prehash(NamedTuple):
    """What of a message is signed in its place."""

    #: "sha256"; as events and messages call it.
    name: str
    #: In bytes.
    size: int
    #: A new hash object for a public key of cryptography's.
    hasher: Callable[[Any], Hasher]

    def check(self, digest: bytes) -> None:
        """Raise ValueError for what cannot be such a digest."""
        if len(digest) != self.size:
            raise ValueError(f"digest must have {self.size} bytes ({self.name}), not {len(digest)}")


def hashed(name: str) -> Prehash:
    """The digest by the hash function ``name``, of SHA-2 (FIPS 180-4): "sha256"."""

    def hasher(_: Any) -> Hasher:
        import hashlib  # here: it loads the system's OpenSSL, which a signature does not need

        return hashlib.new(name)

    return Prehash(name, int(name.removeprefix("sha")) // 8, hasher)


def external_mu() -> Prehash:
    """The μ of ML-DSA with an empty context, which belongs to a message and a public key (FIPS 204, algorithm 7).

    Signing it is signing the message: it is where ML-DSA itself begins.
    """
    return Prehash(_Mu.name, _Mu.digest_size, lambda public_key: _Mu(public_key.public_bytes_raw()))


class _Mu:
    name = "ml-dsa-mu"
    digest_size = 64

    def __init__(self, public_key: bytes) -> None:
        import hashlib

        tr = hashlib.shake_256(public_key).digest(64)
        self._hash = hashlib.shake_256(tr + b"\0\0")  # no HashML-DSA, no context

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.digest(self.digest_size)

    def hexdigest(self) -> str:
        return self.digest().hex()
