"""Signature schemes: how cryptography's keys sign and verify, prepared once for each key."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Scheme(NamedTuple):
    """How a key signs. What cryptography wants to be told with each signature is made once, when a key is opened."""

    #: The hash that the message goes through first, "sha256"; None: the message is signed as it is.
    hash_name: str | None
    #: What cryptography's ``sign`` and ``verify`` take after the message, for an instance of its hash.
    arguments: Callable[[Any], tuple[Any, ...]]

    def signer(self, private_key: Any) -> Callable[[bytes], bytes]:
        """From a message to its signature by a private key of cryptography's."""
        sign, arguments = private_key.sign, self._arguments()
        return (lambda message: sign(message, *arguments)) if arguments else sign

    def verifier(self, public_key: Any) -> Callable[[bytes, bytes], None]:
        """Takes a signature and the message; raises cryptography's InvalidSignature."""
        verify, arguments = public_key.verify, self._arguments()
        return (lambda signature, message: verify(signature, message, *arguments)) if arguments else verify

    def _arguments(self) -> tuple[Any, ...]:
        if self.hash_name is None:
            return self.arguments(None)
        from cryptography.hazmat.primitives import hashes

        return self.arguments(getattr(hashes, self.hash_name.upper())())


def whole() -> Scheme:
    """The message is signed as it is (Ed25519, RFC 8032; ML-DSA with an empty context, FIPS 204)."""
    return Scheme(None, lambda _: ())


def ecdsa(hash_name: str) -> Scheme:
    """ECDSA (FIPS 186-5), its signature a DER Ecdsa-Sig-Value (RFC 3279, section 2.2.3)."""

    def arguments(algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import ec

        return (ec.ECDSA(algorithm),)

    return Scheme(hash_name, arguments)


def rsa_pss(hash_name: str) -> Scheme:
    """RSASSA-PSS (RFC 8017), MGF1 with the same hash, and a salt of the hash's length (RFC 7518, section 3.5)."""

    def arguments(algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import padding

        return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm

    return Scheme(hash_name, arguments)


def rsa_pkcs1v15(hash_name: str) -> Scheme:
    """RSASSA-PKCS1-v1_5 (RFC 8017)."""

    def arguments(algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import padding

        return padding.PKCS1v15(), algorithm

    return Scheme(hash_name, arguments)
