"""Keys on the curves of ECDSA (SEC 1, SEC 2, FIPS 186-5); as JSON Web Keys RFC 7518 and 8812, in OpenSSH RFC 5656."""

from collections.abc import Mapping
from typing import Any

from signer_core.key_type import KeyType, Libp2p


class EllipticCurve(KeyType):
    """A curve; raw is the compressed point, the raw private form the number in big-endian bytes, as many as a
    coordinate has.
    """

    def __init__(
        self, curve: str, *, jwk_curve: str, size: int, libp2p: Libp2p | None = None, has_openssh: bool = False
    ) -> None:
        self.name = f"an EC key on {jwk_curve}"
        #: The name of the curve in SEC 2, as cryptography has it: "secp256r1".
        self.curve = curve
        self.jwk = {"kty": "EC", "crv": jwk_curve}
        self.libp2p = libp2p
        self.has_openssh = has_openssh
        #: The bytes of a coordinate, and of each of the two numbers of a signature.
        self.private_size = self.size = size

    def owns(self, key: Any) -> bool:
        """Whether ``key`` is a public key on this curve."""
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

        return isinstance(key, EllipticCurvePublicKey) and key.curve.name == self.curve

    def to_raw(self, key: Any) -> bytes:
        """The compressed point (SEC 1, section 2.3.3)."""
        from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat

        point: bytes = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return point

    def from_raw(self, raw: bytes) -> Any:
        """The key of a point, compressed or not; it is on the curve, or ValueError is raised."""
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.EllipticCurvePublicKey.from_encoded_point(self._curve(), raw)

    def to_jwk(self, key: Any) -> dict[str, str]:
        """With both coordinates, each in full length (RFC 7518, section 6.2.1)."""
        from signer_core import base64url

        numbers = key.public_numbers()
        x, y = (base64url.encode(each.to_bytes(self.size, "big")) for each in (numbers.x, numbers.y))
        return {**self.jwk, "x": x, "y": y}

    def from_jwk(self, jwk: Mapping[str, Any]) -> Any:
        """The way back."""
        from signer_core import base64url

        x, y = (base64url.decode(jwk.get(name)) for name in ("x", "y"))
        if not len(x) == len(y) == self.size:
            raise ValueError("a coordinate has another length")
        return self.from_raw(b"\x04" + x + y)

    def generate(self, *, rsa_bits: int) -> Any:
        """A new private key."""
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(self._curve())

    def to_private_bytes(self, private_key: Any) -> bytes:
        """The private number."""
        number: int = private_key.private_numbers().private_value
        return number.to_bytes(self.size, "big")

    def from_private_bytes(self, raw: bytes) -> Any:
        """The key of a private number, which is at least 1 and below the order of the curve."""
        from cryptography.hazmat.primitives.asymmetric import ec

        if len(raw) != self.size:
            raise ValueError("the private number has another length")
        return ec.derive_private_key(int.from_bytes(raw, "big"), self._curve())

    def _curve(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import ec

        return getattr(ec, self.curve.upper())()


#: By their names in JSON Web Keys.
CURVES: Mapping[str, EllipticCurve] = {
    "P-256": EllipticCurve("secp256r1", jwk_curve="P-256", size=32, libp2p=Libp2p(3, is_der=True), has_openssh=True),
    # libp2p hashes with SHA-256 whatever the curve, so that these two would sign otherwise than it verifies.
    "P-384": EllipticCurve("secp384r1", jwk_curve="P-384", size=48, has_openssh=True),
    "P-521": EllipticCurve("secp521r1", jwk_curve="P-521", size=66, has_openssh=True),
    "secp256k1": EllipticCurve("secp256k1", jwk_curve="secp256k1", size=32, libp2p=Libp2p(2)),
}
