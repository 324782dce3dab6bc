"""PublicKey: the encodings of a public key, its address, and verification."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from cryptography.exceptions import InvalidSignature

from signer_core import key_encodings
from signer_core.algorithms import FACTS, Algorithm, key_types, named, prehash_of, served_by, serves_none
from signer_core.errors import InvalidSignatureError, UnsupportedAlgorithmError
from signer_core.octets import copied

if TYPE_CHECKING:
    from signer_core.key_type import KeyType
    from signer_core.prehash import Hasher


class PublicKey:
    """A public key and the algorithm that it is used with; equal to another when both are the same.

    Made by :meth:`from_pem`, :meth:`from_der`, :meth:`from_jwk`, :meth:`from_openssh`, :meth:`from_libp2p`,
    :meth:`from_raw` or :meth:`from_cryptography`. An RSA key serves several algorithms: ``algorithm`` names one, and
    without it RSASSA-PSS with SHA-256 is meant. Bad input is a :class:`~signer_core.errors.KeyFormatError`, as is an
    encoding that the key's own would not be equal to: one key has one encoding of each kind. A key that serves no
    algorithm, or not the one named, is an :class:`~signer_core.errors.UnsupportedAlgorithmError`.
    """

    __slots__ = ("__weakref__", "_algorithm", "_der", "_key", "_verify", "_verify_digest")

    def __init__(self, algorithm: Algorithm, der: bytes, key: Any) -> None:
        scheme = FACTS[algorithm].scheme
        self._algorithm = algorithm
        self._der = der
        self._key = key
        self._verify: Callable[[bytes, bytes], None] = scheme.verifier(key)
        #: None where :meth:`hasher` refuses.
        self._verify_digest: Any = scheme.digest_verifier(key)

    @classmethod
    def from_cryptography(cls, key: Any, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in an object of ``cryptography``'s; ``algorithm`` where the key serves several."""
        key_type = next((each for each in key_types() if each.owns(key)), None)
        if key_type is None:
            raise serves_none(key_encodings.kind_of(key))
        chosen = next(served_by(key_type)) if algorithm is None else named(algorithm)
        if FACTS[chosen].key_type is not key_type:
            remedy = f"it serves: {', '.join(served_by(key_type))}"
            raise UnsupportedAlgorithmError(f"{key_type.name} does not serve {chosen}", remedy=remedy)
        key_type.check(key)
        return cls(chosen, key_encodings.to_der(key), key)

    @classmethod
    def from_raw(cls, algorithm: Algorithm, raw: bytes) -> Self:
        """The public key whose :attr:`raw` form is given; an EC key's point may be uncompressed, too."""
        algorithm = named(algorithm)
        key = key_encodings.parsed(f"raw {algorithm} key", FACTS[algorithm].key_type.from_raw, raw)
        return cls.from_cryptography(key, algorithm=algorithm)

    @classmethod
    def from_pem(cls, pem: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a PEM "PUBLIC KEY" block (RFC 7468)."""
        return cls.from_cryptography(key_encodings.from_pem(pem), algorithm=algorithm)

    @classmethod
    def from_der(cls, der: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a DER SubjectPublicKeyInfo (RFC 5280).

        That of an EC key names its curve and has its point uncompressed; that of an RSA key is for no one scheme.
        """
        return cls.from_cryptography(key_encodings.from_der(der), algorithm=algorithm)

    @classmethod
    def from_openssh(cls, line: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a line of OpenSSH's, with or without a comment (RFC 4253, section 6.6)."""
        return cls.from_cryptography(key_encodings.from_openssh(line), algorithm=algorithm)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a JSON Web Key (RFC 7517), whose ``alg``, if it has one, names the algorithm."""
        from signer_core import jwk as json_web_key

        key, served = key_encodings.parsed("JSON Web Key", json_web_key.decode, jwk)
        made = cls.from_cryptography(key, algorithm=served[0] if algorithm is None else algorithm)
        if made.algorithm not in served:
            raise UnsupportedAlgorithmError(f"this JSON Web Key is for {served[0]}, not for {made.algorithm}")
        return made

    @classmethod
    def from_libp2p(cls, protobuf: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in libp2p's protobuf, as ev-node marshals it (libp2p specs, peer-ids)."""
        return cls.from_cryptography(key_encodings.from_libp2p(protobuf), algorithm=algorithm)

    @property
    def algorithm(self) -> Algorithm:
        """What the key signs with."""
        return self._algorithm

    @property
    def raw(self) -> bytes:
        """The shortest standard form. Ed25519: the 32 bytes of RFC 8032; EC: the compressed point (SEC 1); ML-DSA: the
        bytes of FIPS 204. RSA has none: :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        return self._key_type.to_raw(self._key)

    @property
    def address(self) -> bytes:
        """SHA-256 of :attr:`raw`, 32 bytes, as in ev-node; an RSA key has none, as it has no raw form."""
        return _sha256(self.raw)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER SubjectPublicKeyInfo, in lower-case hex."""
        return _sha256(self._der).hex()

    def verify(self, signature: bytes | bytearray | memoryview, message: bytes | bytearray | memoryview) -> None:
        """Return if ``signature`` was made over ``message`` with this key; else raise ``InvalidSignatureError``."""
        _check(self._verify, copied(signature, "signature"), copied(message, "message"))

    def hasher(self) -> "Hasher":
        """A new hash object for a message of any size: its digest is what :meth:`verify_digest` takes, and
        :meth:`signer_core.Signer.sign_digest`.

        ``name`` is that of the algorithm's hash, "sha256"; for ML-DSA "ml-dsa-mu", whose digest is the μ of FIPS 204,
        which belongs to this key alone. An algorithm that signs no digests (Ed25519) has none:
        :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        return prehash_of(self.algorithm).hasher(self._key)

    def verify_digest(self, signature: bytes | bytearray | memoryview, digest: bytes | bytearray | memoryview) -> None:
        """The same as :meth:`verify` for the message with that digest, as :meth:`hasher` gives it.

        Raises ValueError for a digest of another length, and
        :class:`~signer_core.errors.UnsupportedAlgorithmError` where :meth:`hasher` does.
        """
        prehash = prehash_of(self.algorithm)
        signature, digest = copied(signature, "signature"), copied(digest, "digest")
        prehash.check(digest)
        _check(self._verify_digest, signature, digest)

    def to_pem(self) -> bytes:
        """A PEM "PUBLIC KEY" block, with its newline (RFC 7468)."""
        return key_encodings.to_pem(self._key)

    def to_der(self) -> bytes:
        """The DER SubjectPublicKeyInfo (RFC 5280)."""
        return self._der

    def to_openssh(self) -> bytes:
        """OpenSSH's one line, without comment and newline (RFC 4253, section 6.6; RFC 5656; RFC 8709).

        OpenSSH has no secp256k1 and no ML-DSA: :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        if not self._key_type.has_openssh:
            raise self._without("in OpenSSH")
        return key_encodings.to_openssh(self._key)

    def to_jwk(self) -> dict[str, str]:
        """A JSON Web Key (RFC 7517; RFC 7518, 8037 and 8812; AKP for ML-DSA).

        It has an ``alg``, save that of Ed25519, about whose name readers disagree.
        """
        from signer_core import jwk

        return jwk.encode(self._key, self.algorithm)

    def to_libp2p(self) -> bytes:
        """libp2p's protobuf, as ev-node marshals it (libp2p specs, peer-ids).

        libp2p knows RSA, Ed25519, P-256 and secp256k1: else :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        from signer_core import libp2p

        form = self._key_type.libp2p
        if form is None:
            raise self._without("in libp2p")
        return libp2p.encode(form.number, self._der if form.is_der else self.raw)

    def to_cryptography(self) -> Any:
        """The key as an object of ``cryptography``'s."""
        return self._key

    @property
    def _key_type(self) -> "KeyType":
        return FACTS[self.algorithm].key_type

    def _without(self, where: str) -> UnsupportedAlgorithmError:
        return UnsupportedAlgorithmError(
            f"{self._key_type.name} has no form {where}", remedy="use PEM, DER or a JSON Web Key"
        )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._algorithm is other._algorithm and self._der == other._der

    def __hash__(self) -> int:
        return hash((self._algorithm, self._der))

    def __repr__(self) -> str:
        return f"PublicKey({self.algorithm.value}, fingerprint={self.fingerprint})"

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(type(self).from_der, algorithm=self.algorithm), (self._der,)


def _check(verify: Callable[[bytes, bytes], None], signature: bytes, content: bytes) -> None:
    try:
        verify(signature, content)
    except InvalidSignature:
        raise InvalidSignatureError("the signature does not belong to this message and public key") from None


def _sha256(content: bytes) -> bytes:
    import hashlib  # here: it loads the system's OpenSSL, which a signature does not need

    return hashlib.sha256(content).digest()
