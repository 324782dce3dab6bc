"""RSA keys (RFC 8017); as JSON Web Keys RFC 7518, in OpenSSH RFC 4253."""

from collections.abc import Mapping
from typing import Any

from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError
from signer_core.key_type import KeyType, Libp2p

#: In bits. NIST SP 800-131A disallows shorter ones; of longer ones OpenSSL verifies nothing.
_SHORTEST, _LONGEST = 2048, 16384
#: OpenSSL takes no larger exponent for a modulus above 3072 bits: verifying would take as long as signing.
_EXPONENT_BITS = 64


class Rsa(KeyType):
    """RSA, of 2048 to 16384 bits; it has no raw form."""

    name = "an RSA key"
    libp2p = Libp2p(0, is_der=True)
    has_openssh = True
    has_raw = False

    def __init__(self) -> None:
        self.jwk = {"kty": "RSA"}

    def owns(self, key: Any) -> bool:
        """Whether ``key`` is an RSA public key."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        return isinstance(key, RSAPublicKey)

    def check(self, key: Any) -> None:
        """Refuse one that is too short to be safe or too long to be used, and one that is no RSA key at all."""
        numbers = key.public_numbers()
        _check(numbers.n, numbers.e)

    def to_jwk(self, key: Any) -> dict[str, str]:
        """With modulus and exponent (RFC 7518, section 6.3.1)."""
        from signer_core import base64url

        numbers = key.public_numbers()
        return {**self.jwk, "n": base64url.encode_number(numbers.n), "e": base64url.encode_number(numbers.e)}

    def from_jwk(self, jwk: Mapping[str, Any]) -> Any:
        """The way back."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

        from signer_core import base64url

        n, e = (base64url.decode_number(jwk.get(name)) for name in ("n", "e"))
        _check(n, e)
        return RSAPublicNumbers(e, n).public_key()

    def generate(self, *, rsa_bits: int) -> Any:
        """A new private key."""
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

        return generate_private_key(65537, rsa_bits)


def _check(n: int, e: int) -> None:
    bits = n.bit_length()
    if not _SHORTEST <= bits <= _LONGEST:
        raise UnsupportedAlgorithmError(
            f"this is an RSA key of {bits} bits", remedy=f"use one of {_SHORTEST} to {_LONGEST} bits"
        )
    if n % 2 == 0 or e % 2 == 0 or e < 3 or e.bit_length() > _EXPONENT_BITS:
        raise KeyFormatError(
            f"this is no RSA key: the modulus is odd, and so is the exponent, of 3 to 2**{_EXPONENT_BITS}"
        )


RSA = Rsa()
