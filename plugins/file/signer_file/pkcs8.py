"""PKCS#8 private keys in PEM (RFC 5958, RFC 7468), as ``openssl`` reads and writes them.

A file that is written here holds, after the encrypted private key, the public key in a PEM block of its own, as
ev-node's file has its ``pub_key``: PKCS#8's encryption is not authenticated, so that a flipped bit could otherwise give
another key.
"""

import base64
import functools
import re
from collections.abc import Callable
from typing import Any, Self

import attrs
from cryptography.hazmat.primitives import serialization

from signer_core.errors import ConfigError, KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError
from signer_core.public_key import PublicKey

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----")
_ENCRYPTED = b"ENCRYPTED PRIVATE KEY"
_UNENCRYPTED = b"PRIVATE KEY"
_PUBLIC = b"PUBLIC KEY"
#: What openssl wrote before it knew PKCS#8 (RFC 8017, appendix A.1.2; RFC 5915, section 4).
TRADITIONAL = re.compile(rb"-----BEGIN (?:RSA|EC|DSA) PRIVATE KEY-----")
_UNKNOWN = re.compile("Unknown key encryption algorithm|encrypted with unknown cipher")  # in cryptography's ValueError
_WRONG = "Incorrect password"
_SEED = "a key for ML-DSA must be there as its seed: openssl pkey -provparam ml-dsa.output_formats=seed-only"
_MAX_PASSPHRASE_BYTES = 1023  # OpenSSL's; cryptography keeps to it


@attrs.frozen(kw_only=True)
class PrivateKeyPem:
    """The content of a PEM file with one private key, parsed and not yet decrypted."""

    der: bytes = attrs.field(repr=False)
    encrypted: bool
    #: The public key beside it, as a DER SubjectPublicKeyInfo; None if there is none.
    public: bytes | None
    #: What is weak in how the passphrase protects the key; None if nothing is.
    weakness: str | None

    @property
    def tells_changes(self) -> bool:
        """Only by the public key: one bit flipped in AES-CBC gives another key, one time in ten without an error."""
        return self.public is not None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Raises ``KeyFormatError`` for anything but one PKCS#8 private key and, perhaps, its public key."""
        if TRADITIONAL.search(content):
            raise KeyFormatError(
                "its key is in a form that is older than PKCS#8", remedy="take it in with: signer file import"
            )
        blocks = dict(_BLOCK.findall(content))
        private = [label for label in (_ENCRYPTED, _UNENCRYPTED) if label in blocks]
        # Counting the dashes finds what is there twice, cut off, or damaged in its first or last line.
        if len(private) != 1 or blocks.keys() - {*private, _PUBLIC} or content.count(b"-----") != 4 * len(blocks):
            raise KeyFormatError(
                'it does not hold exactly one PEM block "ENCRYPTED PRIVATE KEY"',
                remedy="other forms of keys are taken in with: signer file import",
            )
        der, encrypted = _decoded(blocks[private[0]]), private == [_ENCRYPTED]
        return cls(
            der=der,
            encrypted=encrypted,
            public=_decoded(blocks[_PUBLIC]) if _PUBLIC in blocks else None,
            weakness=_weakness(der) if encrypted else None,
        )

    def open(self, passphrase: bytes) -> Any:
        """The private key; the passphrase is ignored where it takes none.

        Raises ``WrongPassphraseError``, ``UnsupportedAlgorithmError``, or ``KeyFormatError``.
        """
        key = self._opened_encrypted(passphrase) if self.encrypted else self._opened()
        public_key = PublicKey.from_cryptography(key.public_key())
        if self.public not in (None, public_key.to_der()):
            raise KeyFormatError("its private key does not belong to its public key")
        return key

    def _opened_encrypted(self, passphrase: bytes) -> Any:
        return loaded(functools.partial(serialization.load_der_private_key, self.der, passphrase), encrypted=True)

    def _opened(self) -> Any:
        from signer_file.expanded import check_expanded, without_expanded

        der, expanded = without_expanded(self.der)
        key = loaded(functools.partial(serialization.load_der_private_key, der, None))
        if expanded is not None:
            check_expanded(key, expanded)
        return key


def loaded(load: Callable[..., Any], *, encrypted: bool = False) -> Any:
    """The private key that ``load``, a loader of cryptography's, returns; its errors as ours."""
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm

    try:
        return checked(load)
    except (UnsupportedAlgorithm, ValueError, TypeError, OverflowError, InternalError) as error:
        if isinstance(error, UnsupportedAlgorithm) or _UNKNOWN.search(str(error)):
            raise UnsupportedAlgorithmError("it is encrypted, or holds a key, in an unsupported way") from None
        if encrypted and _WRONG in str(error):
            raise WrongPassphraseError("the passphrase is wrong, or the file was changed") from None
        if encrypted:  # a wrong passphrase gives this, too, one time in some hundred
            raise WrongPassphraseError(
                "the passphrase is wrong, the file was changed, or its key is in a form that is not supported",
                remedy=f"check the passphrase; {_SEED}",
            ) from None
        raise KeyFormatError("its private key is damaged, or in a form that is not supported", remedy=_SEED) from None


def checked(load: Callable[..., Any]) -> Any:
    """The private key that ``load``, a loader of cryptography's, returns. Raises what it raises, and
    ``UnsupportedAlgorithmError`` for an RSA key of a size that is not used: to check its primes might take minutes.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    key = load(unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        return key
    PublicKey.from_cryptography(key.public_key())
    return key.private_numbers().private_key()


def seal(key: Any, passphrase: bytes) -> bytes:
    """The content of a new PEM key file: the encrypted private key and its public key."""
    return encrypt(key, passphrase) + PublicKey.from_cryptography(key.public_key()).to_pem()


def encrypt(key: Any, passphrase: bytes) -> bytes:
    """One PEM block "ENCRYPTED PRIVATE KEY", with scrypt. Raises ``ConfigError`` for a passphrase that is too long."""
    from signer_file import pbes2

    if len(passphrase) > _MAX_PASSPHRASE_BYTES:
        raise ConfigError(
            f"the passphrase has {len(passphrase)} bytes, where a PEM file can have {_MAX_PASSPHRASE_BYTES}",
            remedy="use a shorter one",
        )
    unencrypted = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    body = base64.b64encode(pbes2.encrypt(unencrypted, passphrase))
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return b"\n".join([b"-----BEGIN %s-----" % _ENCRYPTED, *lines, b"-----END %s-----" % _ENCRYPTED, b""])


def _weakness(der: bytes) -> str | None:
    from signer_file import pbes2

    return pbes2.weakness(der)


def _decoded(body: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        raise KeyFormatError("its PEM is not valid base64") from None
