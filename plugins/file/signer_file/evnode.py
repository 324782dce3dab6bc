"""ev-node's ``signer.json``, byte for byte as its Go code reads and writes it (ev-node, ``pkg/signer/file/local.go``).

A JSON object of four base64 texts: ``priv_key_encrypted`` (AES-256-GCM over seed ‖ public key), ``nonce`` (12 bytes),
``pub_key`` (32 bytes) and ``salt`` (16 bytes), from which Argon2id makes the AES key. Without ``salt`` an old
derivation applies that stretches nothing: it is read, never written.
"""

import base64
import itertools
import os
from typing import Any, Self

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError

_NONCE_BYTES = 12
_SALT_BYTES = 16
_PUBLIC_BYTES = 32
_TAG_BYTES = 16


@attrs.frozen(kw_only=True)
class SignerJson:
    """The content of a ``signer.json``, parsed and not yet decrypted."""

    ciphertext: bytes = attrs.field(repr=False)
    nonce: bytes
    public: bytes
    #: None: the old derivation.
    salt: bytes | None

    @property
    def encrypted(self) -> bool:
        """Always: ev-node has no other form."""
        return True

    @property
    def tells_changes(self) -> bool:
        """Always: AES-GCM is authenticated, and the public key is beside it."""
        return True

    @property
    def weakness(self) -> str | None:
        """What is weak in how the passphrase protects the key; None if nothing is."""
        return None if self.salt else "its key derivation is ev-node's old one without a salt, which is easy to guess"

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Raises ``KeyFormatError`` for anything that is not the whole of a ``signer.json``."""
        fields = _object(content)
        envelope = cls(
            ciphertext=_bytes(fields, "priv_key_encrypted"),
            nonce=_bytes(fields, "nonce"),
            public=_bytes(fields, "pub_key"),
            salt=_bytes(fields, "salt") if fields.get("salt") not in (None, "") else None,
        )
        _expect("nonce", envelope.nonce, {_NONCE_BYTES})
        _expect("pub_key", envelope.public, {_PUBLIC_BYTES})
        _expect("salt", bytes(_SALT_BYTES) if envelope.salt is None else envelope.salt, {_SALT_BYTES})
        _expect("priv_key_encrypted", envelope.ciphertext, {size + _TAG_BYTES for size in (64, 96)})
        return envelope

    def open(self, passphrase: bytes) -> Ed25519PrivateKey:
        """The private key. Raises ``WrongPassphraseError``, or ``KeyFormatError`` if it is not that of ``pub_key``."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        derived = _derive_unsalted(passphrase) if self.salt is None else _derive(passphrase, self.salt)
        try:
            private = AESGCM(derived).decrypt(self.nonce, self.ciphertext, None)
        except InvalidTag:
            raise WrongPassphraseError("the passphrase is wrong, or the file was changed") from None
        key = from_private_form(private)
        if key.public_key().public_bytes_raw() != self.public:
            raise KeyFormatError("its private key does not belong to its pub_key")
        return key


def seal(key: Ed25519PrivateKey, passphrase: bytes) -> bytes:
    """The content of a new ``signer.json``, as Go's ``json.Marshal`` writes it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    public = key.public_key().public_bytes_raw()
    ciphertext = AESGCM(_derive(passphrase, salt)).encrypt(nonce, key.private_bytes_raw() + public, None)
    fields = {"priv_key_encrypted": ciphertext, "nonce": nonce, "pub_key": public, "salt": salt}
    return b"{%s}" % b",".join(b'"%s":"%s"' % (name.encode(), base64.b64encode(raw)) for name, raw in fields.items())


def from_private_form(private: bytes) -> Ed25519PrivateKey:
    """The key in libp2p's private form, 64 bytes: seed ‖ public, or its older one, 96 bytes: seed ‖ public ‖ public.

    A bare seed of 32 bytes will do. Raises ``KeyFormatError`` for a public key that is not the seed's.
    """
    key = Ed25519PrivateKey.from_private_bytes(private[:32])
    if key.public_key().public_bytes_raw() * (len(private) // 32 - 1) != private[32:]:
        raise KeyFormatError("the private key holds a public key that is not its own")
    return key


def _object(content: bytes) -> dict[str, Any]:
    import json

    repeated = []

    def fields_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        repeated.append(len(fields) < len(pairs))
        return fields

    problem: str | None = None
    try:
        parsed: Any = json.loads(content.decode(), object_pairs_hook=fields_of)
    except (ValueError, RecursionError):
        problem = "it is not valid JSON, or only a part of it"
    # Raised out here, so that the parser's exception, which holds the content, is not this one's __context__.
    if problem is None and not isinstance(parsed, dict):
        problem = "it is JSON, but not an object"
    if problem is None and any(repeated):
        problem = "a field is there twice"
    if problem is not None:
        raise KeyFormatError(problem)
    fields: dict[str, Any] = parsed
    return fields


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    if name not in fields:
        raise KeyFormatError(f"the field {name} is missing")
    try:
        return base64.b64decode(fields[name], validate=True)
    except (TypeError, ValueError):
        raise KeyFormatError(f"the field {name} is not valid base64") from None


def _expect(name: str, value: bytes, sizes: set[int]) -> None:
    if len(value) not in sizes:
        right = " or ".join(str(size) for size in sorted(sizes))
        raise KeyFormatError(f"the field {name} has {len(value)} bytes where it must have {right}")


def _derive(passphrase: bytes, salt: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        derivation = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=32 * 1024)
    except UnsupportedAlgorithm:
        raise UnsupportedAlgorithmError(
            "the cryptography that is installed has no Argon2id",
            remedy="install its wheel, or build it with OpenSSL 3.2",
        ) from None
    return derivation.derive(passphrase)


def _derive_unsalted(passphrase: bytes) -> bytes:
    """ev-node's ``fallbackDeriveKey``: the passphrase and, up to 32 bytes, itself again XORed with the position."""
    filled = itertools.islice(itertools.cycle(passphrase), len(passphrase), 32)
    return passphrase[:32] + bytes(byte ^ position for position, byte in enumerate(filled, start=len(passphrase)))
