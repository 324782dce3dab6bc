"""PublicKey: the encodings of a public key, its address, and verification."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Self

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

# The two enums that an open key brings along; the public module would add loaders and X.509 to each start.
from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat

from signer_core.algorithms import FACTS, Algorithm, AlgorithmFacts
from signer_core.errors import InvalidSignatureError, KeyFormatError, UnsupportedAlgorithmError


@attrs.frozen(repr=False)
class PublicKey:
    """A public key and the algorithm that it is used with; equal to another when both are the same.

    Made by :meth:`from_pem`, :meth:`from_der`, :meth:`from_jwk`, :meth:`from_openssh`, :meth:`from_libp2p`,
    :meth:`from_raw` or :meth:`from_cryptography`. Bad input is a :class:`~signer_core.errors.KeyFormatError`.
    """

    algorithm: Algorithm
    _der: bytes
    _key: Any = attrs.field(eq=False)

    @classmethod
    def from_cryptography(cls, key: Any, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in an object of ``cryptography``'s; ``algorithm`` where the key serves several."""
        serves = [each for each, facts in FACTS.items() if isinstance(key, facts.key_class)]
        if not serves:
            raise _unsupported(f"a {type(key).__name__}")
        if algorithm is not None and algorithm not in serves:
            raise UnsupportedAlgorithmError(f"a {type(key).__name__} does not serve {_named(algorithm)}")
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(serves[0] if algorithm is None else _named(algorithm), der, key)

    @classmethod
    def from_raw(cls, algorithm: Algorithm, raw: bytes) -> Self:
        """The public key whose :attr:`raw` form is given."""
        algorithm = _named(algorithm)
        key = _parsed(f"raw {algorithm} key", FACTS[algorithm].from_raw, raw)
        return cls.from_cryptography(key, algorithm=algorithm)

    @classmethod
    def from_pem(cls, pem: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a PEM "PUBLIC KEY" block (RFC 7468)."""
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        return cls.from_cryptography(_parsed("PEM public key", load_pem_public_key, pem), algorithm=algorithm)

    @classmethod
    def from_der(cls, der: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a DER SubjectPublicKeyInfo (RFC 5280)."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        return cls.from_cryptography(_parsed("DER public key", load_der_public_key, der), algorithm=algorithm)

    @classmethod
    def from_openssh(cls, line: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a line of OpenSSH's, with or without a comment (RFC 4253, section 6.6)."""
        from cryptography.hazmat.primitives.serialization import load_ssh_public_key

        return cls.from_cryptography(_parsed("OpenSSH public key", load_ssh_public_key, line), algorithm=algorithm)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, algorithm: Algorithm | None = None) -> Self:
        """The public key in a JSON Web Key (RFC 7517, RFC 8037)."""
        if not isinstance(jwk, Mapping):
            raise KeyFormatError(f"a JSON Web Key is an object of names and values, not {type(jwk).__name__}")
        if "d" in jwk:
            raise KeyFormatError("this JSON Web Key holds a private key", remedy='leave out its member "d"')
        for each, facts in FACTS.items():
            if algorithm in (None, each) and all(jwk.get(name) == value for name, value in facts.jwk.items()):
                raw = _parsed("JSON Web Key", _from_base64url, jwk.get(facts.jwk_raw_member))
                return cls.from_raw(each, raw)
        if not isinstance(jwk.get("kty"), str):
            raise KeyFormatError("this is not a JSON Web Key: it has no kty")
        raise _unsupported("this JSON Web Key")

    @classmethod
    def from_libp2p(cls, protobuf: bytes, *, algorithm: Algorithm | None = None) -> Self:
        """The public key in libp2p's protobuf, as ev-node marshals it (libp2p specs, peer-ids)."""
        encoded: bytes = _parsed("libp2p public key", memoryview, protobuf).tobytes()
        head, raw = encoded[:4], encoded[4:]
        for each, facts in FACTS.items():
            if algorithm in (None, each) and head == _libp2p_head(facts, raw):
                return cls.from_raw(each, raw)
        types = {facts.libp2p_key_type for facts in FACTS.values()}
        if len(head) == 4 and (head[0], head[2]) == (_LIBP2P_TYPE, _LIBP2P_DATA) and head[1] not in types:
            raise _unsupported("this libp2p public key")
        raise KeyFormatError("this is not a libp2p public key")

    @property
    def raw(self) -> bytes:
        """The shortest standard form; Ed25519: the 32 bytes of RFC 8032."""
        return self._facts.to_raw(self._key)

    @property
    def address(self) -> bytes:
        """SHA-256 of :attr:`raw`, 32 bytes, as in ev-node."""
        return _sha256(self.raw)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER SubjectPublicKeyInfo, in lower-case hex."""
        return _sha256(self._der).hex()

    def verify(self, signature: bytes | bytearray | memoryview, message: bytes | bytearray | memoryview) -> None:
        """Return if ``signature`` was made over ``message`` with this key; else raise ``InvalidSignatureError``."""
        for name, value in (("signature", signature), ("message", message)):
            if not isinstance(value, bytes | bytearray | memoryview):
                raise TypeError(f"{name} must be bytes, bytearray or memoryview, not {type(value).__name__}")
        try:
            self._facts.verify(self._key, bytes(signature), bytes(message))
        except InvalidSignature:
            raise InvalidSignatureError("the signature does not belong to this message and public key") from None

    def to_pem(self) -> bytes:
        """A PEM "PUBLIC KEY" block, with its newline (RFC 7468)."""
        return self._encoded(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def to_der(self) -> bytes:
        """The DER SubjectPublicKeyInfo (RFC 5280)."""
        return self._der

    def to_openssh(self) -> bytes:
        """OpenSSH's one line, without comment and newline (RFC 4253, section 6.6; RFC 8709)."""
        return self._encoded(Encoding.OpenSSH, PublicFormat.OpenSSH)

    def to_jwk(self) -> dict[str, str]:
        """A JSON Web Key (RFC 7517, RFC 8037)."""
        import base64

        encoded = base64.urlsafe_b64encode(self.raw).rstrip(b"=").decode()
        return {**self._facts.jwk, self._facts.jwk_raw_member: encoded}

    def to_libp2p(self) -> bytes:
        """libp2p's protobuf, as ev-node marshals it (libp2p specs, peer-ids)."""
        return _libp2p_head(self._facts, self.raw) + self.raw

    def to_cryptography(self) -> Any:
        """The key as an object of ``cryptography``'s."""
        return self._key

    @property
    def _facts(self) -> AlgorithmFacts:
        return FACTS[self.algorithm]

    def _encoded(self, encoding: Encoding, form: PublicFormat) -> bytes:
        encoded: bytes = self._key.public_bytes(encoding, form)
        return encoded

    def __repr__(self) -> str:
        return f"PublicKey({self.algorithm.value}, fingerprint={self.fingerprint})"

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(type(self).from_der, algorithm=self.algorithm), (self._der,)


def _parsed(what: str, parse: Callable[[Any], Any], encoded: object) -> Any:
    """``parse(encoded)``, with everything that it makes of bad input as one error."""
    try:
        return parse(bytes(encoded) if isinstance(encoded, bytearray | memoryview) else encoded)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    # Raised out here, without a __context__: what was given may be a private key, and the parser may quote it.
    raise KeyFormatError(f"this is not a {what}")


def _named(algorithm: str) -> Algorithm:
    try:
        return Algorithm(algorithm)
    except ValueError:
        raise UnsupportedAlgorithmError(
            f"there is no algorithm {algorithm!r}", remedy=f"use one of: {', '.join(FACTS)}"
        ) from None


def _sha256(content: bytes) -> bytes:
    import hashlib  # here: it loads the system's OpenSSL, which a signature does not need

    return hashlib.sha256(content).digest()


def _from_base64url(text: str) -> bytes:
    import base64

    if not isinstance(text, str) or "=" in text:
        raise ValueError
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError  # bits that no encoder writes
    return raw


#: The tags of the two fields of libp2p's PublicKey: the key's type, and its bytes.
_LIBP2P_TYPE, _LIBP2P_DATA = 0x08, 0x12


def _libp2p_head(facts: AlgorithmFacts, raw: bytes) -> bytes:
    """What stands before the key itself; a length below 128 takes one byte."""
    return bytes((_LIBP2P_TYPE, facts.libp2p_key_type, _LIBP2P_DATA, min(len(raw), 127)))


def _unsupported(what: str) -> UnsupportedAlgorithmError:
    return UnsupportedAlgorithmError(
        f"{what} serves none of the supported algorithms", remedy=f"use a key for one of: {', '.join(FACTS)}"
    )
