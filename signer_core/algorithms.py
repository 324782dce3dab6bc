"""The closed enum of signature algorithms, and the one table that says all there is to say of each."""

import enum
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from signer_core.errors import UnsupportedAlgorithmError

if TYPE_CHECKING:
    from signer_core.key_type import KeyType
    from signer_core.prehash import Prehash
    from signer_core.schemes import Scheme


class Algorithm(enum.StrEnum):
    """A signature algorithm, named as in configurations and in JSON."""

    ED25519 = "ed25519"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    ECDSA_P384_SHA384 = "ecdsa-p384-sha384"
    ECDSA_P521_SHA512 = "ecdsa-p521-sha512"
    ECDSA_SECP256K1_SHA256 = "ecdsa-secp256k1-sha256"
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    RSA_PSS_SHA384 = "rsa-pss-sha384"
    RSA_PSS_SHA512 = "rsa-pss-sha512"
    RSA_PKCS1V15_SHA256 = "rsa-pkcs1v15-sha256"
    RSA_PKCS1V15_SHA384 = "rsa-pkcs1v15-sha384"
    RSA_PKCS1V15_SHA512 = "rsa-pkcs1v15-sha512"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"


class AlgorithmFacts(NamedTuple):
    """What the core has to know of an algorithm."""

    #: The keys that serve it, and their encodings. Of several algorithms with one type of key, the first is the one
    #: that a key is used with unless somebody says otherwise.
    key_type: "KeyType"
    #: How a key signs and verifies.
    scheme: "Scheme"
    #: The form of a signature, for people.
    signature: str
    #: Signing one message twice gives the same bytes.
    deterministic: bool
    #: The names by which a JSON Web Key's ``alg`` may mean it; written where there is no doubt about the name.
    jwk_algs: tuple[str, ...]
    #: What is told to who comes with a message that is larger than the key takes, or with a digest that it does not.
    why_not_larger: str


#: Of the algorithms that would sign any.
_LIMIT_OF_THE_BACKEND = "the algorithm would sign it, the limit is the backend's; sign a smaller message, or a digest"


def _ed25519() -> AlgorithmFacts:
    from signer_core.ed25519 import ED25519
    from signer_core.schemes import whole

    return AlgorithmFacts(
        ED25519,
        whole(),
        "64 bytes (RFC 8032)",
        deterministic=True,
        # RFC 9864 renames RFC 8037's EdDSA, which leaves a reader of either age in doubt
        jwk_algs=("EdDSA", "Ed25519"),
        why_not_larger="Ed25519 needs the message whole; signing a hash of it instead (Ed25519ph) is another "
        "algorithm, whose signatures verify only for who expects it, so it is never done silently",
    )


def _ecdsa(curve: str, hash_name: str, jwk_alg: str) -> AlgorithmFacts:
    from signer_core.elliptic_curve import CURVES
    from signer_core.schemes import ecdsa

    signature = "DER (RFC 3279, Ecdsa-Sig-Value)"
    return AlgorithmFacts(CURVES[curve], ecdsa(hash_name), signature, False, (jwk_alg,), _LIMIT_OF_THE_BACKEND)


def _rsa_pss(hash_name: str, jwk_alg: str) -> AlgorithmFacts:
    from signer_core.schemes import rsa_pss

    return _rsa(rsa_pss(hash_name), jwk_alg, deterministic=False)


def _rsa_pkcs1v15(hash_name: str, jwk_alg: str) -> AlgorithmFacts:
    from signer_core.schemes import rsa_pkcs1v15

    return _rsa(rsa_pkcs1v15(hash_name), jwk_alg, deterministic=True)


def _rsa(scheme: "Scheme", jwk_alg: str, *, deterministic: bool) -> AlgorithmFacts:
    from signer_core.rsa import RSA

    signature = "as long as the modulus (RFC 8017)"
    return AlgorithmFacts(RSA, scheme, signature, deterministic, (jwk_alg,), _LIMIT_OF_THE_BACKEND)


def _ml_dsa(parameters: int, size: int) -> AlgorithmFacts:
    from signer_core.ml_dsa import PARAMETER_SETS
    from signer_core.schemes import ml_dsa

    # Hedged: FIPS 204 recommends it, and AWS KMS and cryptography do it.
    signature, jwk_algs = f"{size} bytes (FIPS 204)", (f"ML-DSA-{parameters}",)
    return AlgorithmFacts(PARAMETER_SETS[parameters], ml_dsa(), signature, False, jwk_algs, _LIMIT_OF_THE_BACKEND)


_TABLE: Mapping[Algorithm, Callable[[], AlgorithmFacts]] = {
    Algorithm.ED25519: _ed25519,
    # RFC 7518, section 3.4; RFC 8812
    Algorithm.ECDSA_P256_SHA256: partial(_ecdsa, "P-256", "sha256", "ES256"),
    Algorithm.ECDSA_P384_SHA384: partial(_ecdsa, "P-384", "sha384", "ES384"),
    Algorithm.ECDSA_P521_SHA512: partial(_ecdsa, "P-521", "sha512", "ES512"),
    Algorithm.ECDSA_SECP256K1_SHA256: partial(_ecdsa, "secp256k1", "sha256", "ES256K"),
    # RFC 7518, sections 3.5 and 3.3
    Algorithm.RSA_PSS_SHA256: partial(_rsa_pss, "sha256", "PS256"),
    Algorithm.RSA_PSS_SHA384: partial(_rsa_pss, "sha384", "PS384"),
    Algorithm.RSA_PSS_SHA512: partial(_rsa_pss, "sha512", "PS512"),
    Algorithm.RSA_PKCS1V15_SHA256: partial(_rsa_pkcs1v15, "sha256", "RS256"),
    Algorithm.RSA_PKCS1V15_SHA384: partial(_rsa_pkcs1v15, "sha384", "RS384"),
    Algorithm.RSA_PKCS1V15_SHA512: partial(_rsa_pkcs1v15, "sha512", "RS512"),
    # FIPS 204, table 2
    Algorithm.ML_DSA_44: partial(_ml_dsa, 44, 2420),
    Algorithm.ML_DSA_65: partial(_ml_dsa, 65, 3309),
    Algorithm.ML_DSA_87: partial(_ml_dsa, 87, 4627),
}


class _Facts(Mapping[Algorithm, AlgorithmFacts]):
    """Made when they are asked for: who signs with one algorithm does not wait for what the others take."""

    def __init__(self) -> None:
        self._made: dict[Algorithm, AlgorithmFacts] = {}

    def __getitem__(self, algorithm: Algorithm) -> AlgorithmFacts:
        if algorithm not in self._made:
            self._made[algorithm] = _TABLE[algorithm]()
        return self._made[algorithm]

    def __iter__(self) -> Iterator[Algorithm]:
        return iter(_TABLE)

    def __len__(self) -> int:
        return len(_TABLE)


FACTS: Mapping[Algorithm, AlgorithmFacts] = _Facts()


def key_types() -> "Iterator[KeyType]":
    """Each type of keys once, in the order of the table."""
    seen: set[KeyType] = set()
    for facts in FACTS.values():
        if facts.key_type not in seen:
            seen.add(facts.key_type)
            yield facts.key_type


def served_by(key_type: "KeyType") -> Iterator[Algorithm]:
    """The algorithms that keys of the type serve, in the order of the table."""
    return (algorithm for algorithm, facts in FACTS.items() if facts.key_type is key_type)


def named(algorithm: str) -> Algorithm:
    """The algorithm of that name. Raises :class:`UnsupportedAlgorithmError`."""
    try:
        return Algorithm(algorithm)
    except ValueError:
        raise UnsupportedAlgorithmError(
            f"there is no algorithm {algorithm!r}", remedy=f"use one of: {', '.join(FACTS)}"
        ) from None


def prehash_of(algorithm: Algorithm) -> "Prehash":
    """What can be signed in place of a message; :class:`UnsupportedAlgorithmError`, which says why, if nothing can."""
    facts = FACTS[algorithm]
    if facts.scheme.prehash is None:
        raise UnsupportedAlgorithmError(f"{algorithm} signs no digests", remedy=facts.why_not_larger)
    return facts.scheme.prehash


def serves_none(what: str) -> UnsupportedAlgorithmError:
    """The error about a key for none of the algorithms."""
    return UnsupportedAlgorithmError(
        f"{what} serves none of the supported algorithms", remedy=f"use a key for one of: {', '.join(FACTS)}"
    )
