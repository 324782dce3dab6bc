"""KeyType: what the core has to know of one type of keys."""

import abc
from collections.abc import Mapping
from typing import Any

from signer_core.errors import UnsupportedAlgorithmError


class Libp2p:
    """How libp2p knows a type of keys; :mod:`signer_core.libp2p` writes and reads what it says."""

    def __init__(self, number: int, *, is_der: bool = False) -> None:
        #: The number of its KeyType.
        self.number = number
        #: The data is the DER SubjectPublicKeyInfo, not the raw key.
        self.is_der = is_der


class KeyType(abc.ABC):
    """A type of keys: which objects of cryptography's are such keys, how they are encoded, how new ones are made.

    What parses raises ValueError for bad input, and UnsupportedAlgorithmError for what the type does not have. The
    methods import what they need: who signs with one type of keys does not wait for what the others take.
    """

    #: As messages name one of its keys: "an RSA key".
    name: str
    #: The members by which its JSON Web Keys are known, and the one that holds the raw form, if one does.
    jwk: Mapping[str, str]
    jwk_raw_member: str = ""
    #: None: libp2p has no such keys.
    libp2p: Libp2p | None = None
    #: Whether OpenSSH has such keys.
    has_openssh: bool = False
    #: Whether there is a shortest standard form of a public key, whose hash is the address.
    has_raw: bool = True
    #: The bytes of a private key's raw form; None if it has none.
    private_size: int | None = None

    @abc.abstractmethod
    def owns(self, key: Any) -> bool:
        """Whether ``key`` is a public key of this type."""

    def check(self, key: Any) -> None:  # noqa: B027 — most types have no bad keys
        """Refuse a public key of this type that nobody should use."""

    def to_raw(self, key: Any) -> bytes:
        """The shortest standard form of a public key."""
        raise self._without("raw form, and so no address", "use its DER SubjectPublicKeyInfo, or its fingerprint")

    def from_raw(self, raw: bytes) -> Any:
        """The way back."""
        raise self._without("raw form", "use its DER SubjectPublicKeyInfo")

    def to_jwk(self, key: Any) -> dict[str, str]:
        """The members of its JSON Web Key."""
        from signer_core import base64url

        return {**self.jwk, self.jwk_raw_member: base64url.encode(self.to_raw(key))}

    def from_jwk(self, jwk: Mapping[str, Any]) -> Any:
        """The key in a JSON Web Key that has the members :attr:`jwk`."""
        from signer_core import base64url

        return self.from_raw(base64url.decode(jwk.get(self.jwk_raw_member)))

    @abc.abstractmethod
    def generate(self, *, rsa_bits: int) -> Any:
        """A new private key; ``rsa_bits`` is the size of an RSA key's modulus."""

    def to_private_bytes(self, private_key: Any) -> bytes:
        """The raw form of a private key."""
        raise self._without("raw private form", "use PKCS#8")

    def from_private_bytes(self, raw: bytes) -> Any:
        """The way back."""
        raise self._without("raw private form", "use PKCS#8")

    def _without(self, what: str, remedy: str) -> UnsupportedAlgorithmError:
        return UnsupportedAlgorithmError(f"{self.name} has no {what}", remedy=remedy)
