"""Public keys as JSON Web Keys (RFC 7517): which type of keys and which algorithm one is for."""

from collections.abc import Mapping
from typing import Any

from signer_core.algorithms import FACTS, Algorithm, key_types, served_by, serves_none
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError
from signer_core.key_type import KeyType

#: What one holds of a private or a secret key (RFC 7518, sections 6.2.2, 6.3.2 and 6.4; AKP's seed).
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")


def encode(key: Any, algorithm: Algorithm) -> dict[str, str]:
    """The members for a public key of cryptography's that is used with ``algorithm``."""
    facts = FACTS[algorithm]
    alg = {"alg": facts.jwk_algs[0]} if len(facts.jwk_algs) == 1 else {}
    return {**facts.key_type.to_jwk(key), **alg}


def decode(jwk: Mapping[str, Any]) -> tuple[Any, tuple[Algorithm, ...]]:
    """The key as an object of cryptography's, and the algorithms that it is for; where ``alg`` says it, just one.

    Raises :class:`KeyFormatError`, :class:`UnsupportedAlgorithmError`, and what the type of the key makes of bad input.
    """
    if not isinstance(jwk, Mapping):
        raise KeyFormatError(f"a JSON Web Key is an object of names and values, not {type(jwk).__name__}")
    if private := [f'"{name}"' for name in _PRIVATE if name in jwk]:
        members = ", ".join(private)
        raise KeyFormatError(
            "this JSON Web Key holds a private key", remedy=f"leave out its member{'s' * (len(private) > 1)} {members}"
        )
    key_type = _key_type(jwk)
    served = tuple(served_by(key_type))
    if "alg" in jwk:
        served = tuple(each for each in served if jwk["alg"] in FACTS[each].jwk_algs)
        if not served:
            raise UnsupportedAlgorithmError(
                "this JSON Web Key is for another algorithm than its key serves here",
                remedy=f"its alg may be one of: {', '.join(_algs(key_type))}",
            )
    return key_type.from_jwk(jwk), served


def _key_type(jwk: Mapping[str, Any]) -> KeyType:
    for key_type in key_types():
        if all(jwk.get(name) == value for name, value in key_type.jwk.items()):
            return key_type
    if not isinstance(jwk.get("kty"), str):
        raise KeyFormatError("this is not a JSON Web Key: it has no kty")
    raise serves_none("this JSON Web Key")


def _algs(key_type: KeyType) -> list[str]:
    return [alg for each in served_by(key_type) for alg in FACTS[each].jwk_algs]
