"""The encryption of a PKCS#8 private key by a passphrase: what PEM's "ENCRYPTED PRIVATE KEY" holds, in DER.

RFC 5958 (EncryptedPrivateKeyInfo), RFC 8018 (PBES2, PBKDF2), RFC 7914 (scrypt). cryptography 50 decrypts all of it, but
encrypts only with 2048 rounds of PBKDF2, so encrypting with scrypt is done here.
"""

import os
from collections.abc import Callable
from typing import Any

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from signer_core.errors import KeyFormatError

_PBES2 = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2 = ObjectIdentifier("1.2.840.113549.1.5.12")
_SCRYPT = ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
_AES_256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")

# OWASP's Password Storage Cheat Sheet holds N=2**14, r=8, p=5 to be as good as N=2**17, p=1; this one stays within the
# 32 MiB that `openssl` grants scrypt.
_N, _R, _P = 2**14, 8, 5
_SALT_BYTES = _BLOCK_BYTES = 16
_SCRYPT_MIN_WORK = 2**13 * 8 * 10  # N·r·p of OWASP's cheapest setting
_SCRYPT_MAX_WORK = 2**23  # N·r·p of 1 GiB
_PBKDF2_MIN_ROUNDS = 600_000  # OWASP's for HMAC-SHA-256
_PBKDF2_MAX_ROUNDS = 10_000_000


@asn1.sequence
class _Algorithm:
    oid: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _Encrypted:
    scheme: _Algorithm
    ciphertext: bytes


@asn1.sequence
class _Pbes2:
    derivation: _Algorithm
    cipher: _Algorithm


@asn1.sequence
class _OldPbe:
    salt: bytes
    rounds: int


@asn1.sequence
class _Prf:
    oid: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Pbkdf2:
    salt: bytes
    rounds: int
    key_length: int | None
    prf: _Prf | None


@asn1.sequence
class _Scrypt:
    salt: bytes
    n: int
    r: int
    p: int
    key_length: int | None


# The same again with their parameters spelt out, for writing.
@asn1.sequence
class _ScryptAlgorithm:
    oid: ObjectIdentifier
    parameters: _Scrypt


@asn1.sequence
class _CipherAlgorithm:
    oid: ObjectIdentifier
    initial: bytes


@asn1.sequence
class _ScryptPbes2:
    derivation: _ScryptAlgorithm
    cipher: _CipherAlgorithm


@asn1.sequence
class _ScryptScheme:
    oid: ObjectIdentifier
    parameters: _ScryptPbes2


@asn1.sequence
class _ScryptEncrypted:
    scheme: _ScryptScheme
    ciphertext: bytes


def encrypt(private_key_info: bytes, passphrase: bytes) -> bytes:
    """A DER EncryptedPrivateKeyInfo: PBES2 with scrypt and AES-256-CBC."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    from cryptography.hazmat.primitives.padding import PKCS7

    salt, initial = os.urandom(_SALT_BYTES), os.urandom(_BLOCK_BYTES)
    derived = Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase)
    padder, encryptor = PKCS7(128).padder(), Cipher(AES256(derived), CBC(initial)).encryptor()
    padded = padder.update(private_key_info) + padder.finalize()
    return asn1.encode_der(
        _ScryptEncrypted(
            scheme=_ScryptScheme(
                oid=_PBES2,
                parameters=_ScryptPbes2(
                    derivation=_ScryptAlgorithm(
                        oid=_SCRYPT, parameters=_Scrypt(salt=salt, n=_N, r=_R, p=_P, key_length=32)
                    ),
                    cipher=_CipherAlgorithm(oid=_AES_256_CBC, initial=initial),
                ),
            ),
            ciphertext=encryptor.update(padded) + encryptor.finalize(),
        )
    )


def weakness(encrypted: bytes) -> str | None:
    """What is weak in how a DER EncryptedPrivateKeyInfo stretches its passphrase; None if nothing is, or if unknown.

    Raises ``KeyFormatError`` if it is none, and if stretching would cost so much that the file can only be hostile: it
    is asked before the passphrase is used.
    """
    scheme = _parsed(lambda: asn1.decode_der(_Encrypted, encrypted)).scheme
    if scheme.oid != _PBES2:
        return _weakness_of_old(scheme.parameters)
    derivation = _parsed(lambda: scheme.parameters.parse(_Pbes2)).derivation
    if derivation.oid == _SCRYPT:
        scrypt: _Scrypt = _parsed(lambda: derivation.parameters.parse(_Scrypt))
        work = max(scrypt.n, 1) * max(scrypt.r, 1) * max(scrypt.p, 1)
        _limit(work, _SCRYPT_MAX_WORK)
        return f"its scrypt costs only N={scrypt.n}, r={scrypt.r}, p={scrypt.p}" if work < _SCRYPT_MIN_WORK else None
    if derivation.oid == _PBKDF2:
        pbkdf2: _Pbkdf2 = _parsed(lambda: derivation.parameters.parse(_Pbkdf2))
        _limit(pbkdf2.rounds, _PBKDF2_MAX_ROUNDS)
        return f"its PBKDF2 has only {pbkdf2.rounds} rounds" if pbkdf2.rounds < _PBKDF2_MIN_ROUNDS else None
    return None


def _weakness_of_old(parameters: asn1.TLV) -> str:
    # PKCS#12's schemes and PBES1 give salt and rounds; what else there is, cryptography does not decrypt.
    try:
        _limit(parameters.parse(_OldPbe).rounds, _PBKDF2_MAX_ROUNDS)
    except ValueError as error:
        if isinstance(error, KeyFormatError):
            raise
    return "its encryption is older than PBES2"


def _limit(cost: int, limit: int) -> None:
    if cost > limit:
        raise KeyFormatError(f"its key derivation would take {cost} rounds, where {limit} are plenty")


def _parsed(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except ValueError:
        raise KeyFormatError("its encrypted private key is damaged, or in a form that is not known") from None
