"""Private keys for ML-DSA as openssl writes them unless told otherwise: the seed, and beside it the key that it expands
to ("both" in RFC 9881, section 6). cryptography 50 reads the seed alone.
"""

import hashlib
from typing import Any

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from signer_core.errors import KeyFormatError


@asn1.sequence
class _Algorithm:
    oid: ObjectIdentifier


@asn1.sequence
class _PrivateKeyInfo:
    version: int
    algorithm: _Algorithm
    private_key: bytes


@asn1.sequence
class _Both:
    seed: bytes
    expanded: bytes


_SEED_TAG = 0x80  # [0] IMPLICIT OCTET STRING


def without_expanded(der: bytes) -> tuple[bytes, bytes | None]:
    """A PKCS#8 private key with the seed alone, and the expanded key; as it is, and None, if it has another form."""
    try:
        info = asn1.decode_der(_PrivateKeyInfo, der)
        both = asn1.decode_der(_Both, info.private_key)
    except ValueError:
        return der, None
    seed = (
        bytes((_SEED_TAG, len(both.seed) & 0x7F)) + both.seed
    )  # of another length than 32 it is refused by the parser
    alone = _PrivateKeyInfo(version=info.version, algorithm=info.algorithm, private_key=seed)
    return asn1.encode_der(alone), both.expanded


def check_expanded(key: Any, expanded: bytes) -> None:
    """Raise ``KeyFormatError`` if ``expanded`` belongs to another public key than ``key`` (FIPS 204, algorithm 24)."""
    raw: bytes = key.public_key().public_bytes_raw()
    rho, hashed = expanded[:32], expanded[64:128]
    if rho != raw[:32] or hashed != hashlib.shake_256(raw).digest(64):
        raise KeyFormatError("its seed does not belong to the expanded key beside it")
