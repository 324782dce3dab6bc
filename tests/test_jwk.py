"""JSON Web Keys against those in RFCs, and what is none."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError
from tests.keys import assert_hides
from tests.strategies import private_key, public_keys, values

# RFC 8037, appendix A.2 and A.3: the key, and its thumbprint
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
ED25519_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
# RFC 7515, appendix A.3.1
P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
# RFC 7638, section 3.1: the key, and its thumbprint
RSA = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RSA_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

ML_DSA = PublicKey.from_cryptography(private_key(Algorithm.ML_DSA_44).public_key()).to_jwk()


def thumbprint(jwk: dict[str, str], *required: str) -> str:
    """RFC 7638."""
    members = {name: jwk[name] for name in required}
    digest = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_ed25519_is_that_of_rfc_8037() -> None:
    key = PublicKey.from_raw(Algorithm.ED25519, base64.urlsafe_b64decode(f"{ED25519['x']}="))
    assert PublicKey.from_jwk(ED25519) == key
    assert key.to_jwk() == ED25519
    assert thumbprint(key.to_jwk(), *key.to_jwk()) == ED25519_THUMBPRINT


def test_p_256_is_that_of_rfc_7515() -> None:
    key = PublicKey.from_jwk(P256)
    assert key.algorithm is Algorithm.ECDSA_P256_SHA256
    assert key.to_jwk() == {**P256, "alg": "ES256"}


def test_rsa_is_that_of_rfc_7638() -> None:
    key = PublicKey.from_jwk(RSA)
    assert key.algorithm is Algorithm.RSA_PKCS1V15_SHA256
    assert key.to_jwk() == {name: RSA[name] for name in ("kty", "n", "e", "alg")}
    assert thumbprint(key.to_jwk(), "kty", "n", "e") == RSA_THUMBPRINT


@pytest.mark.parametrize("algorithm", [each for each in Algorithm if each is not Algorithm.ED25519])
def test_alg_names_the_algorithm(algorithm: Algorithm) -> None:
    jwk = PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm).to_jwk()
    (alg,) = FACTS[algorithm].jwk_algs
    assert jwk["alg"] == alg
    assert PublicKey.from_jwk(jwk).algorithm is algorithm


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_either_name_for_ed25519_is_right(alg: str) -> None:
    assert PublicKey.from_jwk({**ED25519, "alg": alg}).to_jwk() == ED25519


def test_rsa_without_alg_is_for_what_is_asked_for() -> None:
    jwk = {name: RSA[name] for name in ("kty", "n", "e")}
    assert PublicKey.from_jwk(jwk).algorithm is Algorithm.RSA_PSS_SHA256
    assert PublicKey.from_jwk(jwk, algorithm=Algorithm.RSA_PSS_SHA512).algorithm is Algorithm.RSA_PSS_SHA512


def test_alg_and_the_algorithm_that_is_asked_for_must_agree() -> None:
    assert PublicKey.from_jwk(RSA, algorithm=Algorithm.RSA_PKCS1V15_SHA256).to_jwk()["alg"] == "RS256"
    with pytest.raises(UnsupportedAlgorithmError, match="is for rsa-pkcs1v15-sha256, not for rsa-pss-sha256"):
        PublicKey.from_jwk(RSA, algorithm=Algorithm.RSA_PSS_SHA256)


@pytest.mark.parametrize(
    ("jwk", "alg"),
    [(ED25519, "ES256"), (P256, "ES384"), (RSA, "RSA-OAEP"), (RSA, ""), (RSA, None), (RSA, 256), (P256, ["ES256"])],
)
def test_alg_of_another_algorithm(jwk: dict[str, str], alg: object) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=r"for another algorithm than its key serves.*its alg may be"):
        PublicKey.from_jwk({**jwk, "alg": alg})


@pytest.mark.parametrize(
    ("jwk", "change"),
    [
        (ED25519, {"kty": None}),
        (ED25519, {"kty": 1}),
        (ED25519, {"x": None}),
        (ED25519, {"x": ED25519["x"] + "="}),
        (ED25519, {"x": ED25519["x"][:-1]}),
        (ED25519, {"x": ED25519["x"][:-1] + "p"}),
        (ED25519, {"x": ED25519["x"].replace("_", "/")}),
        (ED25519, {"x": ED25519["x"] + "\n"}),
        (ED25519, {"x": "é" * 43}),
        (ED25519, {"x": "A" * 1_000_000}),
        (ED25519, {"x": ED25519["x"].encode()}),
        (P256, {"y": P256["x"]}),
        (P256, {"y": None}),
        (P256, {"x": "", "y": ""}),
        (P256, {"x": "A" * 43, "y": "A" * 43}),
        (P256, {"x": "AA" + P256["x"]}),
        (RSA, {"n": None}),
        (RSA, {"e": ""}),
        (RSA, {"e": "AAEAAQ"}),
        (RSA, {"n": "AA" + RSA["n"][:-2]}),
        (RSA, {"e": "AQAA"}),
        (RSA, {"e": "AQ"}),
        (RSA, {"e": "Aw" * 8 + "Aw"}),
        (RSA, {"n": RSA["n"][:-1] + "g"}),
        (ML_DSA, {"pub": ML_DSA["pub"][:-4]}),
        (ML_DSA, {"pub": None}),
    ],
    ids=range(26),
)
def test_what_is_not_right(jwk: dict[str, str], change: dict[str, Any]) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_jwk({**jwk, **change})


@pytest.mark.parametrize("size", [128, 255, 2049, 100_000])
def test_rsa_key_that_is_too_short_or_too_long(size: int) -> None:
    n = base64.urlsafe_b64encode(b"\xff" * size).rstrip(b"=").decode()
    with pytest.raises(
        UnsupportedAlgorithmError, match=f"an RSA key of {size * 8} bits; use one of 2048 to 16384 bits"
    ):
        PublicKey.from_jwk({"kty": "RSA", "n": n, "e": "AQAB"})


@pytest.mark.parametrize(
    "jwk",
    [
        {**ED25519, "kty": "EC"},
        {**ED25519, "crv": "X25519"},
        {**ED25519, "crv": "ed25519"},
        {**P256, "crv": "P-224"},
        {**P256, "kty": "RSA-HSM"},
        {"kty": "AKP", "pub": ML_DSA["pub"]},
        {**ML_DSA, "alg": "SLH-DSA-SHA2-128s"},
        {"kty": "oct"},
    ],
    ids=range(8),
)
def test_key_of_another_kind(jwk: dict[str, str]) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="this JSON Web Key serves none"):
        PublicKey.from_jwk(jwk)


def test_other_members_do_not_matter() -> None:
    assert PublicKey.from_jwk({**ED25519, "kid": "1", "use": "sig"}).to_jwk() == ED25519


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_private_key_is_refused_and_not_shown(member: str) -> None:
    for jwk in (ED25519, P256, RSA, ML_DSA):
        with pytest.raises(KeyFormatError, match=f'holds a private key; leave out its member "{member}"') as caught:
            PublicKey.from_jwk({**jwk, member: "hunter2"})
        assert_hides("hunter2", caught.value)


def test_every_private_member_is_named() -> None:
    with pytest.raises(KeyFormatError, match='leave out its members "d", "p", "q"'):
        PublicKey.from_jwk({**RSA, "d": "1", "p": "2", "q": "3"})


names = st.sampled_from(("kty", "crv", "x", "y", "n", "e", "pub", "alg", "d", "use"))


@given(st.dictionaries(names | st.text(max_size=3), values))
def test_any_object_is_a_key_or_an_error_of_ours(jwk: dict[str, Any]) -> None:
    read_or_refused(jwk)


@given(public_keys, st.dictionaries(names, values | st.sampled_from(("P-256", "EC", "AQAB", "ES256")), max_size=2))
def test_any_changed_key_is_a_key_or_an_error_of_ours(key: PublicKey, change: dict[str, Any]) -> None:
    read_or_refused({**key.to_jwk(), **change})


def read_or_refused(jwk: dict[str, Any]) -> None:
    try:
        made = PublicKey.from_jwk(jwk).to_jwk()
    except (KeyFormatError, UnsupportedAlgorithmError):
        return
    assert made.items() <= {"alg": made.get("alg"), **jwk}.items()
