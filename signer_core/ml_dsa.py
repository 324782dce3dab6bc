"""ML-DSA keys (FIPS 204); as JSON Web Keys of the type AKP (IETF, draft-ietf-cose-dilithium)."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from signer_core.errors import UnsupportedAlgorithmError
from signer_core.key_type import KeyType


class MlDsa(KeyType):
    """A parameter set of ML-DSA; raw is FIPS 204's encoding of the public key, the raw private form the seed ξ."""

    jwk_raw_member = "pub"
    private_size = 32

    def __init__(self, parameters: int) -> None:
        #: 44, 65 or 87.
        self.parameters = parameters
        self.name = f"an ML-DSA-{parameters} key"
        self.jwk = {"kty": "AKP", "alg": f"ML-DSA-{parameters}"}

    def owns(self, key: Any) -> bool:
        """Whether ``key`` is a public key with these parameters."""
        return isinstance(key, self._class("PublicKey"))

    def to_raw(self, key: Any) -> bytes:
        """FIPS 204's encoding."""
        raw: bytes = key.public_bytes_raw()
        return raw

    def from_raw(self, raw: bytes) -> Any:
        """The way back."""
        with _available():
            return self._class("PublicKey").from_public_bytes(raw)

    def generate(self, *, rsa_bits: int) -> Any:
        """A new private key."""
        with _available():
            return self._class("PrivateKey").generate()

    def to_private_bytes(self, private_key: Any) -> bytes:
        """The seed."""
        seed: bytes = private_key.private_bytes_raw()
        return seed

    def from_private_bytes(self, raw: bytes) -> Any:
        """The key of a seed."""
        with _available():
            return self._class("PrivateKey").from_seed_bytes(raw)

    def _class(self, half: str) -> Any:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return getattr(mldsa, f"MLDSA{self.parameters}{half}")


@contextlib.contextmanager
def _available() -> Iterator[None]:
    """The wheels of cryptography have ML-DSA, but not one that was built with LibreSSL or an OpenSSL below 3.5."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        yield
    except UnsupportedAlgorithm:
        raise UnsupportedAlgorithmError(
            "the cryptography that is installed has no ML-DSA", remedy="install its wheel, or build it with OpenSSL 3.5"
        ) from None


#: By their numbers in FIPS 204, table 1.
PARAMETER_SETS: Mapping[int, MlDsa] = {number: MlDsa(number) for number in (44, 65, 87)}
