"""How KMS names what keys sign with, and what it wants to be given: one table.

Sources: AWS KMS Developer Guide, "Key spec reference"; AWS KMS API reference, "Sign".
"""

from collections.abc import Mapping
from typing import NamedTuple

from signer_core.algorithms import Algorithm
from signer_core.errors import UnsupportedAlgorithmError

#: KMS takes no larger message, whatever its type.
MAX_MESSAGE_BYTES = 4096


class Served(NamedTuple):
    """How KMS serves an algorithm."""

    #: Its ``SigningAlgorithm``.
    name: str
    #: The ``KeySpec`` of the keys that have it.
    key_specs: tuple[str, ...]
    #: Messages are given as they are, as RAW, while they are not too large.
    raw: bool
    #: The ``MessageType`` of what is given in place of a message; None: nothing can be.
    prehashed: str | None


def _ecdsa(name: str, key_spec: str) -> Served:
    return Served(name, (key_spec,), raw=False, prehashed="DIGEST")


def _rsa(name: str) -> Served:
    return Served(name, ("RSA_2048", "RSA_3072", "RSA_4096"), raw=False, prehashed="DIGEST")


def _ml_dsa(key_spec: str) -> Served:
    return Served("ML_DSA_SHAKE_256", (key_spec,), raw=True, prehashed="EXTERNAL_MU")


#: Of several algorithms that a key serves, the first is the one that it is used with unless somebody says otherwise.
SERVED: Mapping[Algorithm, Served] = {
    # KMS's other one for these keys, ED25519_PH_SHA_512, is another algorithm
    Algorithm.ED25519: Served("ED25519_SHA_512", ("ECC_NIST_EDWARDS25519",), raw=True, prehashed=None),
    Algorithm.ECDSA_P256_SHA256: _ecdsa("ECDSA_SHA_256", "ECC_NIST_P256"),
    Algorithm.ECDSA_P384_SHA384: _ecdsa("ECDSA_SHA_384", "ECC_NIST_P384"),
    Algorithm.ECDSA_P521_SHA512: _ecdsa("ECDSA_SHA_512", "ECC_NIST_P521"),
    Algorithm.ECDSA_SECP256K1_SHA256: _ecdsa("ECDSA_SHA_256", "ECC_SECG_P256K1"),
    Algorithm.RSA_PSS_SHA256: _rsa("RSASSA_PSS_SHA_256"),
    Algorithm.RSA_PSS_SHA384: _rsa("RSASSA_PSS_SHA_384"),
    Algorithm.RSA_PSS_SHA512: _rsa("RSASSA_PSS_SHA_512"),
    Algorithm.RSA_PKCS1V15_SHA256: _rsa("RSASSA_PKCS1_V1_5_SHA_256"),
    Algorithm.RSA_PKCS1V15_SHA384: _rsa("RSASSA_PKCS1_V1_5_SHA_384"),
    Algorithm.RSA_PKCS1V15_SHA512: _rsa("RSASSA_PKCS1_V1_5_SHA_512"),
    Algorithm.ML_DSA_44: _ml_dsa("ML_DSA_44"),
    Algorithm.ML_DSA_65: _ml_dsa("ML_DSA_65"),
    Algorithm.ML_DSA_87: _ml_dsa("ML_DSA_87"),
}


def algorithm_for(key_spec: object, configured: Algorithm | None) -> Algorithm:
    """What a key of that spec signs with here: what is ``configured``, if it serves that.

    Raises :class:`UnsupportedAlgorithmError`, whose message speaks of the key as "it".
    """
    serves = [algorithm for algorithm, served in SERVED.items() if key_spec in served.key_specs]
    if configured is None and serves:
        return serves[0]
    if configured in serves:
        return configured
    if configured is not None:
        wanted = f"use a key with KeySpec {' or '.join(SERVED[configured].key_specs)}"
        remedy = f"{wanted}, or set algorithm to one of: {', '.join(serves)}" if serves else wanted
        raise UnsupportedAlgorithmError(f"its KeySpec {key_spec} does not serve {configured}", remedy=remedy)
    specs = dict.fromkeys(spec for served in SERVED.values() for spec in served.key_specs)
    raise UnsupportedAlgorithmError(
        f"its KeySpec {key_spec} serves none of the supported algorithms",
        remedy=f"use a key with one of: {', '.join(specs)}",
    )


def key_spec_of_new(algorithm: Algorithm, rsa_bits: int) -> str:
    """The ``KeySpec`` of a new key for the algorithm."""
    key_specs = SERVED[algorithm].key_specs
    rsa = f"RSA_{rsa_bits}"
    return rsa if rsa in key_specs else key_specs[0]
