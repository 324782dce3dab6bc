"""Recognising a private key that somebody brings along."""

import binascii
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from signer_core.errors import ConfigError, KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError
from signer_core.public_key import PublicKey
from signer_file import key_file
from signer_file.config import Format, not_empty

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HEX = re.compile(rb"\s*(?:0x)?([0-9a-fA-F]+)\s*")
_OPENSSH = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END OPENSSH PRIVATE KEY-----\s*")
# "openssh-key-v1", the length of the cipher's name, and the name of none (OpenSSH, PROTOCOL.key)
_OPENSSH_UNENCRYPTED = b"openssh-key-v1\0\0\0\0\4none"
_FORMS = (
    "the 64 hex digits of a seed, ev-node's 64 bytes (seed and public key) raw or in hex, a PKCS#8 PEM, "
    "an OpenSSH private key, or a signer.json"
)


def recognise(content: bytes, ask_passphrase: Callable[[], bytes]) -> "tuple[Ed25519PrivateKey, bool]":
    """The Ed25519 key in ``content``, and whether it lay there encrypted; ``ask_passphrase`` is called only if it did.

    No content can be read in two ways: the raw forms hold the seed's public key too, and none that consists of hex
    digits alone can be found. Raises ``KeyFormatError``, ``WrongPassphraseError`` and ``UnsupportedAlgorithmError``.
    """
    from signer_file.evnode import from_private_form

    if digits := _HEX.fullmatch(content):
        return from_private_form(_from_hex(digits[1])), False
    if len(content) in (64, 96):
        return from_private_form(content), False
    if openssh := _OPENSSH.fullmatch(content):
        return _from_openssh(content, openssh[1], ask_passphrase)
    if b"-----BEGIN " in content:
        sealed = key_file.parse(content, Format.PKCS8)
    elif content.lstrip().startswith(b"{"):
        sealed = key_file.parse(content, Format.EVNODE)
    else:
        raise KeyFormatError("this is no private key in a form that is known", remedy=f"give {_FORMS}")
    return sealed.open(not_empty(ask_passphrase()) if sealed.encrypted else b""), sealed.encrypted


def _from_hex(digits: bytes) -> bytes:
    if len(digits) not in (64, 128, 192):
        raise KeyFormatError(f"a private key in hex has 64 or 128 digits, not {len(digits)}", remedy=f"give {_FORMS}")
    return binascii.unhexlify(digits)


def _from_openssh(content: bytes, body: bytes, ask_passphrase: Callable[[], bytes]) -> "tuple[Ed25519PrivateKey, bool]":
    from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        decoded = binascii.a2b_base64(body)
    except ValueError:
        raise KeyFormatError("the OpenSSH private key is not valid base64") from None
    encrypted = not decoded.startswith(_OPENSSH_UNENCRYPTED)
    passphrase = not_empty(ask_passphrase()) if encrypted else None
    try:
        key = load_ssh_private_key(content, passphrase)
    except UnsupportedAlgorithm:
        if encrypted and not _has_bcrypt():
            raise ConfigError(
                "an encrypted OpenSSH private key takes the package bcrypt, which is not installed",
                remedy="pip install 'signer-file[openssh]'",
            ) from None
        raise UnsupportedAlgorithmError("the OpenSSH private key is in a form that is not supported") from None
    except (ValueError, TypeError, OverflowError, InvalidTag, InternalError):
        if encrypted:
            raise WrongPassphraseError("the passphrase is wrong, or the OpenSSH private key is damaged") from None
        raise KeyFormatError("the OpenSSH private key is damaged") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UnsupportedAlgorithmError("the OpenSSH private key is for another algorithm", remedy="use an Ed25519 key")
    # cryptography compares the public keys in the file with each other, not with the seed.
    if binascii.a2b_base64(PublicKey.from_cryptography(key.public_key()).to_openssh().split()[1]) not in decoded:
        raise KeyFormatError("the OpenSSH private key does not belong to its public key")
    return key, encrypted


def _has_bcrypt() -> bool:
    from importlib.util import find_spec

    return find_spec("bcrypt") is not None
