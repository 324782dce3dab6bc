"""Verification against Project Wycheproof: malleable, truncated and altered signatures, wrong hashes, edge values.

tests/vectors/wycheproof.json names its source, its licence, and what of it was taken.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS
from signer_core.errors import InvalidSignatureError, KeyFormatError

VECTORS = json.loads((Path(__file__).parent / "vectors" / "wycheproof.json").read_text("utf-8"))

#: Where Wycheproof accepts either, what is done here.
CHOSEN = {
    "MissingNull": "invalid",  # of a PKCS#1 v1.5 signature, whose hash must be named in DER as RFC 8017 has it
    "MixedOrderPublicKey": "valid",  # RFC 8032 does not rule such Ed25519 keys out
}
#: Keys that are none.
REFUSED = {"SmallOrderPublicKey", "IncorrectPublicKeyLength"}


def vectors(expected: str) -> list[Any]:
    """Those that must be ``expected``: valid or invalid."""
    return [
        pytest.param(group, test, id=f"{group['algorithm']}-{test['tcId']}-{test['comment']}"[:80])
        for group in VECTORS["groups"]
        for test in group["tests"]
        if result_of(test) == expected and not REFUSED & {*test["flags"]}
    ]


def result_of(test: dict[str, Any]) -> str:
    result: str = test["result"]
    return next((CHOSEN[flag] for flag in test["flags"] if flag in CHOSEN and result == "acceptable"), result)


def key_of(group: dict[str, Any]) -> PublicKey:
    encoded, algorithm = bytes.fromhex(group["publicKey"]), Algorithm(group["algorithm"])
    if algorithm.startswith("ml-dsa"):
        return PublicKey.from_raw(algorithm, encoded)
    return PublicKey.from_der(encoded, algorithm=algorithm)


def salt_is_ours(group: dict[str, Any]) -> bool:
    hash_name = FACTS[Algorithm(group["algorithm"])].scheme.hash_name
    return "sLen" not in group or f"sha{group['sLen'] * 8}" == hash_name


@pytest.mark.parametrize(("group", "test"), vectors("valid"))
def test_right_signature(group: dict[str, Any], test: dict[str, Any]) -> None:
    key, signature, message = key_of(group), bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
    if salt_is_ours(group):
        key.verify(signature, message)
        return
    with pytest.raises(InvalidSignatureError):
        key.verify(signature, message)


@pytest.mark.parametrize(("group", "test"), [each for each in vectors("invalid") if salt_is_ours(each.values[0])])
def test_wrong_signature(group: dict[str, Any], test: dict[str, Any]) -> None:
    with pytest.raises(InvalidSignatureError):
        key_of(group).verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))


@pytest.mark.parametrize("flag", sorted(REFUSED))
def test_key_that_is_none(flag: str) -> None:
    groups = [group for group in VECTORS["groups"] if any(flag in test["flags"] for test in group["tests"])]
    assert len(groups) >= 3
    for group in groups:
        with pytest.raises(KeyFormatError):
            key_of(group)


def test_every_algorithm_has_right_and_wrong_signatures() -> None:
    for expected in ("valid", "invalid"):
        assert {each.values[0]["algorithm"] for each in vectors(expected)} == set(Algorithm)


def test_source_and_licence_are_named() -> None:
    assert VECTORS["source"].startswith("Project Wycheproof, https://github.com/C2SP/wycheproof")
    assert len(VECTORS["commit"]) == 40
    assert VECTORS["licence"].startswith("Apache-2.0")
