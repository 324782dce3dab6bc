"""Signature schemes: how cryptography's keys sign and verify, prepared once for each key."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from signer_core.prehash import Prehash

#: See :attr:`Scheme.arguments`.
_Arguments = Callable[[Any, Any], tuple[Any, ...]]


class Scheme(NamedTuple):
    """How a key signs. What cryptography wants to be told with each signature is made once, when a key is opened."""

    #: The hash that the message goes through first, "sha256"; None: the message is signed as it is.
    hash_name: str | None
    #: What cryptography's ``sign`` and ``verify`` take after the message, for an instance of its hash and for what they
    #: are to take for the hash, which is another where the message went through it already.
    arguments: _Arguments
    #: What can be signed in place of the message; None: nothing can, the scheme takes it whole.
    prehash: "Prehash | None"
    #: What cryptography's methods for that have after "sign" and "verify" in their names.
    prehash_suffix: str = ""

    def signer(self, private_key: Any) -> Callable[[bytes], bytes]:
        """From a message to its signature by a private key of cryptography's."""
        return _signer(private_key.sign, self.sign_arguments())

    def verifier(self, public_key: Any) -> Callable[[bytes, bytes], None]:
        """Takes a signature and the message; raises cryptography's InvalidSignature."""
        return _verifier(public_key.verify, self.sign_arguments())

    def digest_signer(self, private_key: Any) -> Callable[[bytes], bytes] | None:
        """From a digest to the signature over the message; None where there is no :attr:`prehash`."""
        if self.prehash is None:
            return None
        return _signer(getattr(private_key, f"sign{self.prehash_suffix}"), self._digest_arguments())

    def digest_verifier(self, public_key: Any) -> Callable[[bytes, bytes], None] | None:
        """Takes a signature and the digest; None where there is no :attr:`prehash`."""
        if self.prehash is None:
            return None
        return _verifier(getattr(public_key, f"verify{self.prehash_suffix}"), self._digest_arguments())

    def sign_arguments(self) -> tuple[Any, ...]:
        """What cryptography's ``sign`` takes after the message."""
        return self._arguments(lambda algorithm: algorithm)

    def _digest_arguments(self) -> tuple[Any, ...]:
        def prehashed(algorithm: Any) -> Any:
            from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

            return Prehashed(algorithm)

        return self._arguments(prehashed)

    def _arguments(self, taken_for: Callable[[Any], Any]) -> tuple[Any, ...]:
        if self.hash_name is None:
            return ()
        from cryptography.hazmat.primitives import hashes

        algorithm = getattr(hashes, self.hash_name.upper())()
        return self.arguments(algorithm, taken_for(algorithm))


def _signer(sign: Callable[..., bytes], arguments: tuple[Any, ...]) -> Callable[[bytes], bytes]:
    return (lambda content: sign(content, *arguments)) if arguments else sign


def _verifier(verify: Callable[..., None], arguments: tuple[Any, ...]) -> Callable[[bytes, bytes], None]:
    return (lambda signature, content: verify(signature, content, *arguments)) if arguments else verify


def whole() -> Scheme:
    """The message is signed as it is, in two passes (Ed25519, RFC 8032)."""
    return Scheme(None, lambda *_: (), None)


def ml_dsa() -> Scheme:
    """ML-DSA with an empty context, of the message itself and not HashML-DSA (FIPS 204)."""
    from signer_core.prehash import external_mu

    return Scheme(None, lambda *_: (), external_mu(), "_mu")


def ecdsa(hash_name: str) -> Scheme:
    """ECDSA (FIPS 186-5), its signature a DER Ecdsa-Sig-Value (RFC 3279, section 2.2.3)."""

    def arguments(_: Any, algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import ec

        return (ec.ECDSA(algorithm),)

    return _hashing(hash_name, arguments)


def rsa_pss(hash_name: str) -> Scheme:
    """RSASSA-PSS (RFC 8017), MGF1 with the same hash, and a salt of the hash's length (RFC 7518, section 3.5)."""

    def arguments(hash_: Any, algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import padding

        return padding.PSS(padding.MGF1(hash_), hash_.digest_size), algorithm

    return _hashing(hash_name, arguments)


def rsa_pkcs1v15(hash_name: str) -> Scheme:
    """RSASSA-PKCS1-v1_5 (RFC 8017)."""

    def arguments(_: Any, algorithm: Any) -> tuple[Any, ...]:
        from cryptography.hazmat.primitives.asymmetric import padding

        return padding.PKCS1v15(), algorithm

    return _hashing(hash_name, arguments)


def _hashing(hash_name: str, arguments: _Arguments) -> Scheme:
    from signer_core.prehash import hashed

    return Scheme(hash_name, arguments, hashed(hash_name))
