"""Recognising a private key that somebody brings along."""

import binascii
import functools
import re
from collections.abc import Callable
from typing import Any

from signer_core.algorithms import FACTS, Algorithm
from signer_core.errors import ConfigError, KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError
from signer_core.public_key import PublicKey
from signer_file import key_file, pkcs8
from signer_file.config import Format, not_empty

_HEX = re.compile(rb"\s*(?:0x)?([0-9a-fA-F]+)\s*")
_OPENSSH = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END OPENSSH PRIVATE KEY-----\s*")
_TRADITIONAL_ENCRYPTED = b"Proc-Type: 4,ENCRYPTED"  # RFC 1421, section 4.6.1.1
# OpenSSH, PROTOCOL.key: after this come the names of cipher and derivation, and the derivation's salt and rounds, each
# after its length.
_OPENSSH_BEGIN = b"openssh-key-v1\0"
_OPENSSH_UNENCRYPTED = _OPENSSH_BEGIN + b"\0\0\0\4none"
_OPENSSH_MAX_ROUNDS = 4096  # of bcrypt, a minute's work; ssh-keygen makes 16 or 24 unless told otherwise
_FORMS = (
    "the 64 hex digits of a seed, those of a private key for the configured algorithm, ev-node's 64 bytes (seed and "
    "public key) raw or in hex, a PKCS#8 PEM or an older one of OpenSSL's, an OpenSSH private key, or a signer.json"
)


def recognise(content: bytes, ask_passphrase: Callable[[], bytes], algorithm: Algorithm | None) -> tuple[Any, bool]:
    """The private key in ``content``, and whether it lay there encrypted; ``ask_passphrase`` is called only if it did.

    A bare key in hex is for ``algorithm``, or for Ed25519 without one; all other forms say what they hold.

    No content can be read in two ways: the raw forms hold the seed's public key too, and none that consists of hex
    digits alone can be found. Raises ``KeyFormatError``, ``WrongPassphraseError`` and ``UnsupportedAlgorithmError``.
    """
    if digits := _HEX.fullmatch(content):
        return _from_hex(digits[1], algorithm or Algorithm.ED25519), False
    if len(content) in (64, 96):
        from signer_file.evnode import from_private_form

        return from_private_form(content), False
    if openssh := _OPENSSH.fullmatch(content):
        return _from_openssh(content, openssh[1], ask_passphrase)
    if pkcs8.TRADITIONAL.search(content):
        return _from_traditional(content, ask_passphrase)
    if b"-----BEGIN " in content:
        sealed: key_file.Sealed = pkcs8.PrivateKeyPem.parse(content)
    elif content.lstrip().startswith(b"{"):
        sealed = key_file.parse(content, Format.EVNODE)
    elif content.startswith(b"\x30"):  # a SEQUENCE of ASN.1
        raise KeyFormatError(
            "this is a private key in DER, or something else in ASN.1",
            remedy="write it as PEM with: openssl pkey -inform DER",
        )
    else:
        raise KeyFormatError("this is no private key in a form that is known", remedy=f"give {_FORMS}")
    return sealed.open(not_empty(ask_passphrase()) if sealed.encrypted else b""), sealed.encrypted


def _from_hex(digits: bytes, algorithm: Algorithm) -> Any:
    from signer_file.evnode import from_private_form

    key_type = FACTS[algorithm].key_type
    # ev-node's forms hold the public key besides.
    sizes = (32, 64, 96) if algorithm is Algorithm.ED25519 else (key_type.private_size,)
    numbers = [2 * size for size in sizes if size]
    if len(digits) not in numbers:
        right = " or ".join(str(number) for number in numbers[:2])
        raise KeyFormatError(
            f"a private key for {algorithm} in hex has {right or 'no'} digits, not {len(digits)}",
            remedy=f"give {_FORMS}",
        )
    raw = binascii.unhexlify(digits)
    if algorithm is Algorithm.ED25519:
        return from_private_form(raw)
    try:
        return key_type.from_private_bytes(raw)
    except ValueError:
        raise KeyFormatError(f"this is no private key for {algorithm}") from None


def _from_openssh(content: bytes, body: bytes, ask_passphrase: Callable[[], bytes]) -> tuple[Any, bool]:
    from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        decoded = binascii.a2b_base64(body)
    except ValueError:
        raise KeyFormatError("the OpenSSH private key is not valid base64") from None
    encrypted = not decoded.startswith(_OPENSSH_UNENCRYPTED)
    if encrypted and (rounds := _openssh_rounds(decoded)) > _OPENSSH_MAX_ROUNDS:
        raise KeyFormatError(
            f"its key derivation would take {rounds} rounds, where {_OPENSSH_MAX_ROUNDS} are plenty",
            remedy="encrypt it anew with: ssh-keygen -p -a 100",
        )
    passphrase = not_empty(ask_passphrase()) if encrypted else None
    try:
        key = pkcs8.checked(functools.partial(load_ssh_private_key, content, passphrase))
    except UnsupportedAlgorithm:
        if encrypted and not _has_bcrypt():
            raise ConfigError(
                "an encrypted OpenSSH private key takes the package bcrypt, which is not installed",
                remedy="pip install 'signer-file[openssh]'",
            ) from None
        raise UnsupportedAlgorithmError("the OpenSSH private key is in a form that is not supported") from None
    except (ValueError, TypeError, OverflowError, InvalidTag, InternalError, NotImplementedError):
        if encrypted:
            raise WrongPassphraseError("the passphrase is wrong, or the OpenSSH private key is damaged") from None
        raise KeyFormatError("the OpenSSH private key is damaged") from None
    # cryptography compares the public keys in the file with each other, not with the private one.
    if binascii.a2b_base64(PublicKey.from_cryptography(key.public_key()).to_openssh().split()[1]) not in decoded:
        raise KeyFormatError("the OpenSSH private key does not belong to its public key")
    return key, encrypted


def _openssh_rounds(decoded: bytes) -> int:
    end = len(_OPENSSH_BEGIN)
    for _ in range(3):  # the cipher, the derivation and its options, of which the rounds are the last
        end += 4 + int.from_bytes(decoded[end : end + 4])
    return int.from_bytes(decoded[end - 4 : end])


def _from_traditional(content: bytes, ask_passphrase: Callable[[], bytes]) -> tuple[Any, bool]:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if content.count(b" PRIVATE KEY-----") != 2:
        raise KeyFormatError("it does not hold exactly one private key")
    encrypted = _TRADITIONAL_ENCRYPTED in content
    passphrase = not_empty(ask_passphrase()) if encrypted else None
    return pkcs8.loaded(functools.partial(load_pem_private_key, content, passphrase), encrypted=encrypted), encrypted


def _has_bcrypt() -> bool:
    from importlib.util import find_spec

    return find_spec("bcrypt") is not None
