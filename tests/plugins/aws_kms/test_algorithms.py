"""Signing with every algorithm: how KMS is asked, and that what it answers verifies."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.signing_algorithms import SERVED
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Algorithm, Deadline, PublicKey, Signer, create_signer
from signer_core.errors import (
    BackendUnavailableError,
    ConfigError,
    KeyUnavailableError,
    MessageTooLargeError,
    SignatureVerificationError,
    SignerError,
    UnsupportedAlgorithmError,
)
from tests.plugins.aws_kms.peers import Clock
from tests.plugins.aws_kms.signers import ALIAS, check, opened, options

#: Each algorithm with each kind of key that serves it.
CASES = [(algorithm, spec) for algorithm, served in SERVED.items() for spec in served.key_specs]
#: The kinds of keys, and the algorithm of a signer that is told none.
SPECS = {
    "ECC_NIST_EDWARDS25519": Algorithm.ED25519,
    "ECC_NIST_P256": Algorithm.ECDSA_P256_SHA256,
    "ECC_NIST_P384": Algorithm.ECDSA_P384_SHA384,
    "ECC_NIST_P521": Algorithm.ECDSA_P521_SHA512,
    "ECC_SECG_P256K1": Algorithm.ECDSA_SECP256K1_SHA256,
    "RSA_2048": Algorithm.RSA_PSS_SHA256,
    "RSA_3072": Algorithm.RSA_PSS_SHA256,
    "RSA_4096": Algorithm.RSA_PSS_SHA256,
    "ML_DSA_44": Algorithm.ML_DSA_44,
    "ML_DSA_65": Algorithm.ML_DSA_65,
    "ML_DSA_87": Algorithm.ML_DSA_87,
}
#: One of each family that signs digests, and the bytes of such a digest.
DIGESTS = {
    Algorithm.ECDSA_P384_SHA384: ("ECC_NIST_P384", "DIGEST", 48),
    Algorithm.RSA_PSS_SHA256: ("RSA_2048", "DIGEST", 32),
    Algorithm.RSA_PKCS1V15_SHA512: ("RSA_2048", "DIGEST", 64),
    Algorithm.ML_DSA_65: ("ML_DSA_65", "EXTERNAL_MU", 64),
}


@pytest.fixture(scope="module")
def kms() -> Iterator[FakeKms]:
    """A fake KMS with a key of each kind, whose alias is its name: some take a while to make."""
    with FakeKms() as kms, pytest.MonkeyPatch.context() as environment:
        for name, value in kms.environment().items():
            environment.setenv(name, value)
        for spec in SPECS:
            kms.create_key(alias=f"alias/{spec}", spec=spec)
        yield kms
        kms.clear_faults()


def signer_of(spec: str, algorithm: Algorithm | None = None) -> Signer:
    return opened(key_id=f"alias/{spec}", **({} if algorithm is None else {"algorithm": algorithm.value}))


def asked(kms: FakeKms) -> dict[str, Any]:
    """What the last request has beside the name of the key."""
    return {name: value for name, value in kms.received[-1].parameters.items() if name != "KeyId"}


def size_asked(kms: FakeKms) -> int:
    return len(base64.b64decode(asked(kms)["Message"]))


@pytest.mark.parametrize(("algorithm", "spec"), CASES, ids=str)
def test_each_algorithm_of_each_key_signs(kms: FakeKms, algorithm: Algorithm, spec: str) -> None:
    with signer_of(spec, algorithm) as signer:
        assert signer.algorithm is algorithm
        signature = signer.sign(b"message")
        assert asked(kms)["SigningAlgorithm"] == SERVED[algorithm].name
    PublicKey.from_der(kms.key(f"alias/{spec}").public_key_der, algorithm=algorithm).verify(signature, b"message")


@pytest.mark.parametrize("algorithm", SERVED)
def test_the_documents_have_what_is_served(algorithm: Algorithm) -> None:
    served = SERVED[algorithm]
    specs = ", ".join(f"`{spec}`" for spec in served.key_specs)
    given = f"`{served.prehashed}`" if served.prehashed else "`RAW`"
    if served.raw and served.prehashed:
        given = f"`RAW`, above 4096 bytes {given}"
    size = "of any size" if served.prehashed else "up to 4096 bytes"
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "aws-kms.md").read_text("utf-8")
    assert f"| `{algorithm}` | {specs} | `{served.name}` | {given} | {size} |" in text


@pytest.mark.parametrize(("spec", "algorithm"), SPECS.items())
def test_a_key_signs_with_its_own_algorithm_unless_told_otherwise(
    kms: FakeKms, spec: str, algorithm: Algorithm
) -> None:
    with signer_of(spec) as signer:
        assert signer.algorithm is algorithm
        signer.public_key.verify(signer.sign(b"message"), b"message")


def test_ed25519_is_never_prehashed(kms: FakeKms) -> None:
    with signer_of("ECC_NIST_EDWARDS25519") as signer:
        signer.sign(bytes(4096))
        assert (asked(kms)["SigningAlgorithm"], asked(kms)["MessageType"]) == ("ED25519_SHA_512", "RAW")
        before = kms.requests["Sign"]
        with pytest.raises(MessageTooLargeError, match="Ed25519ph"):
            signer.sign(bytes(4097))
        with pytest.raises(UnsupportedAlgorithmError, match="Ed25519ph"):
            signer.sign_digest(bytes(64))
        with pytest.raises(UnsupportedAlgorithmError, match="Ed25519ph"):
            signer.hasher()
        assert kms.requests["Sign"] == before


@pytest.mark.parametrize(("algorithm", "case"), DIGESTS.items(), ids=str)
@settings(max_examples=20, deadline=None)
@given(message=st.binary(max_size=5000))
def test_a_message_is_signed_whatever_its_size(
    kms: FakeKms, algorithm: Algorithm, case: tuple[str, str, int], message: bytes
) -> None:
    spec, message_type, size = case
    with signer_of(spec, algorithm) as signer:
        signer.public_key.verify(signer.sign(message), message)
    whole = message_type == "EXTERNAL_MU" and len(message) <= 4096
    expected = ("RAW", len(message)) if whole else (message_type, size)
    assert (asked(kms)["MessageType"], size_asked(kms)) == expected


@pytest.mark.parametrize(("algorithm", "case"), DIGESTS.items(), ids=str)
def test_a_message_of_a_megabyte_is_signed(kms: FakeKms, algorithm: Algorithm, case: tuple[str, str, int]) -> None:
    spec, message_type, size = case
    message = bytes(range(256)) * 4096
    with signer_of(spec, algorithm) as signer:
        signer.public_key.verify(signer.sign(message), message)
    assert (asked(kms)["MessageType"], size_asked(kms)) == (message_type, size)


@pytest.mark.parametrize(("size", "message_type"), [(0, "RAW"), (4096, "RAW"), (4097, "EXTERNAL_MU")])
@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_ml_dsa_has_messages_whole_while_kms_takes_them(kms: FakeKms, spec: str, size: int, message_type: str) -> None:
    with signer_of(spec) as signer:
        signer.public_key.verify(signer.sign(bytes(size)), bytes(size))
    assert asked(kms)["MessageType"] == message_type


@pytest.mark.parametrize(("algorithm", "case"), DIGESTS.items(), ids=str)
def test_a_digest_is_signed(kms: FakeKms, algorithm: Algorithm, case: tuple[str, str, int]) -> None:
    spec, message_type, size = case
    with signer_of(spec, algorithm) as signer:
        hasher = signer.hasher()
        hasher.update(b"message")
        signer.public_key.verify(signer.sign_digest(hasher.digest()), b"message")
        assert (asked(kms)["MessageType"], size_asked(kms)) == (message_type, size)
        with pytest.raises(ValueError, match=f"{size} bytes"):
            signer.sign_digest(bytes(size - 1))


def test_a_key_out_of_code_signs_digests_too(kms: FakeKms) -> None:
    key = AwsKmsKey.open("alias/RSA_2048", algorithm="rsa-pkcs1v15-sha384")
    with Signer(key) as signer:
        hasher = signer.hasher()
        assert (hasher.name, key.max_message_bytes) == ("sha384", None)
        signer.public_key.verify_digest(key.sign_digest(hasher.digest(), Deadline.after(10)), hasher.digest())


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048", "ML_DSA_44"])
@pytest.mark.parametrize("fault", [faults.flip_bit(40), faults.other_key_signature(), faults.shorten()])
@pytest.mark.parametrize("size", [7, 5000])
def test_a_wrong_signature_is_an_error(kms: FakeKms, spec: str, fault: faults.Fault, size: int) -> None:
    with signer_of(spec) as signer:
        for sign in (signer.sign, lambda message: signer.sign_digest(digest(signer, message))):
            kms.inject(fault, operation="Sign")
            with pytest.raises(SignatureVerificationError):
                sign(bytes(size))


def digest(signer: Signer, message: bytes) -> bytes:
    hasher = signer.hasher()
    hasher.update(message)
    return hasher.digest()


@pytest.mark.parametrize(
    ("spec", "algorithm", "told"),
    [
        ("RSA_2048", "ed25519", r"RSA_2048 does not serve ed25519; use a key with KeySpec ECC_NIST_EDWARDS25519, or"),
        ("ECC_NIST_P256", "rsa-pss-sha256", "RSA_2048 or RSA_3072 or RSA_4096, or set .* of: ecdsa-p256-sha256$"),
        ("ECC_NIST_P256", "ecdsa-secp256k1-sha256", "does not serve ecdsa-secp256k1-sha256; .* ECC_SECG_P256K1"),
        ("ML_DSA_44", "ml-dsa-65", "ML_DSA_44 does not serve ml-dsa-65"),
    ],
)
def test_a_key_that_does_not_serve_the_configured_algorithm_is_refused(
    kms: FakeKms, spec: str, algorithm: str, told: str
) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=told) as caught:
        signer_of(spec, Algorithm(algorithm))
    assert kms.key(f"alias/{spec}").arn in str(caught.value)


def test_an_algorithm_that_there_is_not_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"algorithm.*rsa-pss-sha256"):
        create_signer(options(algorithm="RSASSA_PSS_SHA_256"))


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            {"KeySpec": "SM2", "SigningAlgorithms": ["SM2DSA"]},
            "KeySpec SM2 serves none of the supported algorithms; .* RSA_2048",
        ),
        ({"KeySpec": "RSA_2048", "SigningAlgorithms": ["RSASSA_PSS_SHA_512"]}, "not with RSASSA_PSS_SHA_256"),
        ({"KeySpec": "RSA_2048", "SigningAlgorithms": None}, "not with RSASSA_PSS_SHA_256"),
        ({"KeySpec": "ECC_NIST_P256", "SigningAlgorithms": ["ECDSA_SHA_256"]}, "an RSA key does not serve ecdsa-p256"),
        ({"KeySpec": "x\n" * 1000}, "^[^\n]{200,500}; use a key with one of"),
    ],
    ids=["SM2", "not the algorithm", "no algorithms", "another key", "long and of many lines"],
)
def test_a_key_that_says_it_cannot_is_refused(kms: FakeKms, members: dict[str, Any], told: str) -> None:
    kms.inject(faults.with_members(**members), operation="GetPublicKey")
    with pytest.raises(UnsupportedAlgorithmError, match=told):
        signer_of("RSA_2048")


def test_a_key_to_encrypt_is_refused_whatever_is_configured(kms: FakeKms) -> None:
    kms.create_key(alias=ALIAS, spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    with pytest.raises(KeyUnavailableError, match=r"ENCRYPT_DECRYPT, not for signing.*SIGN_VERIFY"):
        opened(algorithm="rsa-pss-sha256")


def test_a_public_key_that_is_garbled_is_asked_for_again(kms: FakeKms) -> None:
    kms.inject(faults.with_members(PublicKey="MAA="), operation="GetPublicKey")
    with pytest.raises(BackendUnavailableError, match="no public key"):
        signer_of("ECC_NIST_P256")


@pytest.mark.parametrize("configured", [None, "ed25519"], ids=["any", "ed25519 only"])
def test_an_alias_that_moves_to_a_key_of_another_kind(
    kms: FakeKms, configured: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    alias, clock = "alias/moving", Clock()
    kms.set_alias(alias, kms.key("alias/ECC_NIST_EDWARDS25519"))
    more = {} if configured is None else {"algorithm": configured}
    with Signer(AwsKmsKey.open(alias, cache_ttl=60, **more), clock=clock) as signer:
        kms.set_alias(alias, kms.key("alias/RSA_2048"))
        clock.now += 61
        signature = signer.sign(b"message")
        signer.public_key.verify(signature, b"message")
        followed = configured is None
        assert signer.algorithm is (Algorithm.RSA_PSS_SHA256 if followed else Algorithm.ED25519)
    assert followed or "does not serve ed25519" in caplog.text


@pytest.mark.parametrize(("algorithm", "spec"), CASES[::3], ids=str)
def test_check_passes_for_each_algorithm(kms: FakeKms, algorithm: Algorithm, spec: str) -> None:
    verdicts = check(key_id=f"alias/{spec}", algorithm=algorithm)
    details = {each.step: each.detail for each in verdicts if each.passed}
    assert (len(details), details["key state"]) == (8, f"Enabled, {spec}, SIGN_VERIFY")
    assert details["public key"].startswith(f"{algorithm}, ")
    dry = next(each.parameters for each in reversed(kms.received) if each.parameters.get("DryRun"))
    assert dry["SigningAlgorithm"] == SERVED[algorithm].name
    assert dry["MessageType"] == asked(kms)["MessageType"]


def test_check_tells_of_a_key_that_does_not_serve_the_algorithm(kms: FakeKms) -> None:
    failed = [each for each in check(key_id="alias/RSA_2048", algorithm=Algorithm.ML_DSA_44) if not each.passed]
    assert [(each.step, bool(re.search("KeySpec ML_DSA_44", str(each.remedy)))) for each in failed] == [
        ("key", True),
        ("key state", True),
    ]


@pytest.mark.parametrize("spec", ["RSA_2048", "ML_DSA_44"])
def test_check_asks_for_the_permission_as_signing_does_where_the_key_cannot_be_read(
    kms: FakeKms, monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    policy = {"Statement": {"Effect": "Allow", "Action": ["kms:Sign", "kms:DescribeKey"], "Resource": "*"}}
    for name, value in kms.add_identity(policy=policy).environment().items():
        monkeypatch.setenv(name, value)
    assert [each.step for each in check(key_id=f"alias/{spec}") if not each.passed] == ["key"]


def test_a_condition_on_the_algorithm_is_met_or_named(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {"kms:SigningAlgorithm": ["RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"], "kms:MessageType": "DIGEST"}
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "kms:GetPublicKey", "Resource": "*"},
            {"Effect": "Allow", "Action": "kms:Sign", "Resource": "*", "Condition": {"StringEquals": allowed}},
        ]
    }
    for name, value in kms.add_identity(policy=policy).environment().items():
        monkeypatch.setenv(name, value)
    with signer_of("RSA_2048", Algorithm.RSA_PSS_SHA384) as signer:
        signer.sign(b"message")
    with signer_of("RSA_2048") as signer, pytest.raises(SignerError, match="not authorized to perform: kms:Sign"):
        signer.sign(b"message")
