"""The kinds of keys, and what KMS says of each: one table.

Sources: AWS KMS Developer Guide, "Key spec reference", and API reference of Sign.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signer_aws_kms.testing.answers import AwsError

RAW, DIGEST, EXTERNAL_MU = MESSAGE_TYPES = "RAW", "DIGEST", "EXTERNAL_MU"

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}


@attrs.frozen(kw_only=True)
class KeySpec:
    """One value of ``KeySpec``."""

    usages: tuple[str, ...]
    generate: Callable[[], Any]
    signing_algorithms: tuple[str, ...] = ()
    #: (private key, algorithm, message type, message): the signature.
    sign: Callable[[Any, str, str, bytes], bytes] | None = None


def _sign_ed25519(key: ed25519.Ed25519PrivateKey, algorithm: str, message_type: str, message: bytes) -> bytes:
    required = RAW if algorithm == "ED25519_SHA_512" else DIGEST
    if message_type != required:
        raise _incompatible(message_type, algorithm)
    if algorithm == "ED25519_PH_SHA_512":
        _check_length(message, 64, algorithm)
        raise AwsError("UnsupportedOperationException", "this fake does not sign with Ed25519ph")
    return key.sign(message)


def _sign_ecdsa(key: ec.EllipticCurvePrivateKey, algorithm: str, message_type: str, message: bytes) -> bytes:
    digest, function = _digest(algorithm, message_type, message)
    return key.sign(digest, ec.ECDSA(Prehashed(function)))


def _sign_rsa(key: rsa.RSAPrivateKey, algorithm: str, message_type: str, message: bytes) -> bytes:
    digest, function = _digest(algorithm, message_type, message)
    scheme: Any = padding.PKCS1v15()
    if algorithm.startswith("RSASSA_PSS"):
        scheme = padding.PSS(padding.MGF1(function), padding.PSS.DIGEST_LENGTH)
    return key.sign(digest, scheme, Prehashed(function))


def _digest(algorithm: str, message_type: str, message: bytes) -> tuple[bytes, hashes.HashAlgorithm]:
    function = _HASHES[algorithm[-len("SHA_256") :]]
    if message_type == RAW:
        return hashlib.new(function.name, message).digest(), function
    if message_type != DIGEST:
        raise _incompatible(message_type, algorithm)
    _check_length(message, function.digest_size, algorithm)
    return message, function


def _sign_ml_dsa(key: Any, algorithm: str, message_type: str, message: bytes) -> bytes:
    if message_type == DIGEST:
        raise _incompatible(message_type, algorithm)
    if message_type == EXTERNAL_MU:
        _check_length(message, 64, algorithm)
    sign = key.sign if message_type == RAW else key.sign_mu
    signature: bytes = sign(message)
    return signature


def _check_length(digest: bytes, size: int, algorithm: str) -> None:
    if len(digest) != size:
        raise AwsError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")


def _incompatible(message_type: str, algorithm: str) -> AwsError:
    return AwsError("ValidationException", f"Message type {message_type} is incompatible with algorithm {algorithm}.")


def _elliptic(curve: ec.EllipticCurve, algorithm: str) -> KeySpec:
    return KeySpec(
        usages=("SIGN_VERIFY",),
        generate=lambda: ec.generate_private_key(curve),
        signing_algorithms=(algorithm,),
        sign=_sign_ecdsa,
    )


def _rsa(bits: int) -> KeySpec:
    return KeySpec(
        usages=("SIGN_VERIFY", "ENCRYPT_DECRYPT"),
        generate=lambda: rsa.generate_private_key(65537, bits),
        signing_algorithms=tuple(
            f"RSASSA_{scheme}_SHA_{size}" for scheme in ("PKCS1_V1_5", "PSS") for size in (256, 384, 512)
        ),
        sign=_sign_rsa,
    )


def _ml_dsa(private_key: Any) -> KeySpec:
    return KeySpec(
        usages=("SIGN_VERIFY",),
        generate=private_key.generate,
        signing_algorithms=("ML_DSA_SHAKE_256",),
        sign=_sign_ml_dsa,
    )


KEY_SPECS: Mapping[str, KeySpec] = {
    "ECC_NIST_EDWARDS25519": KeySpec(
        usages=("SIGN_VERIFY",),
        generate=ed25519.Ed25519PrivateKey.generate,
        signing_algorithms=("ED25519_SHA_512", "ED25519_PH_SHA_512"),
        sign=_sign_ed25519,
    ),
    "ECC_NIST_P256": _elliptic(ec.SECP256R1(), "ECDSA_SHA_256"),
    "ECC_NIST_P384": _elliptic(ec.SECP384R1(), "ECDSA_SHA_384"),
    "ECC_NIST_P521": _elliptic(ec.SECP521R1(), "ECDSA_SHA_512"),
    "ECC_SECG_P256K1": _elliptic(ec.SECP256K1(), "ECDSA_SHA_256"),
    "RSA_2048": _rsa(2048),
    "RSA_3072": _rsa(3072),
    "RSA_4096": _rsa(4096),
    "ML_DSA_44": _ml_dsa(mldsa.MLDSA44PrivateKey),
    "ML_DSA_65": _ml_dsa(mldsa.MLDSA65PrivateKey),
    "ML_DSA_87": _ml_dsa(mldsa.MLDSA87PrivateKey),
    "SYMMETRIC_DEFAULT": KeySpec(usages=("ENCRYPT_DECRYPT",), generate=lambda: None),
}

#: All that the API knows, signed here or not.
SIGNING_ALGORITHMS = tuple(
    sorted({each for spec in KEY_SPECS.values() for each in spec.signing_algorithms} | {"SM2DSA"})
)
