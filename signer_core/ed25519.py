"""Ed25519 keys (RFC 8032); as a JSON Web Key RFC 8037, in OpenSSH RFC 8709."""

from typing import Any

from signer_core.errors import KeyFormatError
from signer_core.key_type import KeyType, Libp2p

_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
#: The y of the points whose order divides 8, as they may be encoded. RFC 8032 does not rule them out as keys, but with
#: one of them there are signatures that verify for many messages, and nobody made them.
_SMALL_ORDER = {0, 1, _P - 1, _P, _P + 1, _ORDER_8, _P - _ORDER_8}


class Ed25519(KeyType):
    """Ed25519; raw are the 32 bytes of RFC 8032, the raw private form is the seed."""

    name = "an Ed25519 key"
    jwk_raw_member = "x"
    libp2p = Libp2p(1)
    has_openssh = True
    private_size = 32

    def __init__(self) -> None:
        self.jwk = {"kty": "OKP", "crv": "Ed25519"}

    def owns(self, key: Any) -> bool:
        """Whether ``key`` is an Ed25519 public key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return isinstance(key, Ed25519PublicKey)

    def check(self, key: Any) -> None:
        """Refuse a point of small order."""
        if int.from_bytes(self.to_raw(key), "little") & (2**255 - 1) in _SMALL_ORDER:
            raise KeyFormatError("this is no Ed25519 key but a point of small order: anybody can sign for it")

    def to_raw(self, key: Any) -> bytes:
        """Its 32 bytes."""
        raw: bytes = key.public_bytes_raw()
        return raw

    def from_raw(self, raw: bytes) -> Any:
        """The way back."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(raw)

    def generate(self, *, rsa_bits: int) -> Any:
        """A new private key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.generate()

    def to_private_bytes(self, private_key: Any) -> bytes:
        """The seed."""
        seed: bytes = private_key.private_bytes_raw()
        return seed

    def from_private_bytes(self, raw: bytes) -> Any:
        """The key of a seed."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(raw)


ED25519 = Ed25519()
