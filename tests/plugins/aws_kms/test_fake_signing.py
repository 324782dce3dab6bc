"""What the fake KMS answers to Sign, GetPublicKey and DescribeKey, as a boto3 client sees it."""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer_aws_kms.testing import FakeKey, FakeKms
from tests.plugins.aws_kms.clients import ED25519, code, post, refusal, signed_headers

ALIAS = "alias/sequencer"


@pytest.fixture
def key(fake_kms: FakeKms) -> FakeKey:
    return fake_kms.create_key(alias=ALIAS)


@pytest.mark.parametrize(
    "name",
    [
        lambda key: key.id,
        lambda key: key.arn,
        lambda _: ALIAS,
        lambda key: key.arn.rpartition("key/")[0] + ALIAS,
    ],
    ids=["id", "arn", "alias", "alias arn"],
)
def test_any_name_is_answered_with_the_arn(client: Any, key: FakeKey, name: Callable[[FakeKey], str]) -> None:
    signed = client.sign(KeyId=name(key), Message=b"message", MessageType="RAW", **ED25519)
    key.public_key.verify(signed["Signature"], b"message")
    assert (signed["KeyId"], signed["SigningAlgorithm"]) == (key.arn, "ED25519_SHA_512")
    assert client.get_public_key(KeyId=name(key))["KeyId"] == key.arn
    described = client.describe_key(KeyId=name(key))["KeyMetadata"]
    assert (described["KeyId"], described["Arn"]) == (key.id, key.arn)


def test_public_key_is_the_one_that_signs(client: Any, key: FakeKey) -> None:
    answer = client.get_public_key(KeyId=ALIAS)
    assert answer["PublicKey"] == key.public_key_der
    assert (answer["KeySpec"], answer["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    assert "ED25519_SHA_512" in answer["SigningAlgorithms"]


def test_answers_have_a_request_id_and_a_date(client: Any, key: FakeKey) -> None:
    answer = client.get_public_key(KeyId=ALIAS)["ResponseMetadata"]
    uuid.UUID(answer["RequestId"])
    assert answer["HTTPHeaders"]["date"].endswith(" GMT")


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_a_message_of_at_most_4096_bytes_is_signed(client: Any, key: FakeKey, size: int) -> None:
    signature = client.sign(KeyId=ALIAS, Message=b"m" * size, **ED25519)["Signature"]
    key.public_key.verify(signature, b"m" * size)


def test_a_longer_message_is_refused(client: Any, key: FakeKey) -> None:
    assert refusal(client.sign, KeyId=ALIAS, Message=b"m" * 4097, **ED25519) == (
        "ValidationException",
        (
            "1 validation error detected: Value at 'message' failed to satisfy constraint: "
            "Member must have length less than or equal to 4096"
        ),
    )


def test_ed25519_signs_no_digest(client: Any, key: FakeKey) -> None:
    assert refusal(client.sign, KeyId=ALIAS, Message=bytes(64), MessageType="DIGEST", **ED25519) == (
        "ValidationException",
        "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
    )


def test_ed25519ph_signs_digests_only(client: Any, key: FakeKey) -> None:
    assert (
        code(client.sign, KeyId=ALIAS, Message=bytes(64), MessageType="RAW", SigningAlgorithm="ED25519_PH_SHA_512")
        == "ValidationException"
    )


def test_an_algorithm_of_other_keys_is_refused(client: Any, key: FakeKey) -> None:
    assert refusal(client.sign, KeyId=ALIAS, Message=b"message", SigningAlgorithm="ECDSA_SHA_256") == (
        "InvalidKeyUsageException",
        "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_EDWARDS25519.",
    )


def test_an_unknown_algorithm_is_refused(client: Any, key: FakeKey) -> None:
    assert code(client.sign, KeyId=ALIAS, Message=b"message", SigningAlgorithm="ROT13") == "ValidationException"


def test_a_key_for_encryption_is_refused(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")
    assert refusal(client.sign, KeyId=key.arn, Message=b"message", **ED25519) == (
        "InvalidKeyUsageException",
        f"{key.arn} key usage is ENCRYPT_DECRYPT which is not valid for Sign.",
    )
    assert code(client.get_public_key, KeyId=key.arn) == "UnsupportedOperationException"


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_p256_signs(client: Any, fake_kms: FakeKms, message_type: str) -> None:
    key = fake_kms.create_key(spec="ECC_NIST_P256")
    message = b"message" if message_type == "RAW" else hashlib.sha256(b"message").digest()
    answer = client.sign(KeyId=key.id, Message=message, MessageType=message_type, SigningAlgorithm="ECDSA_SHA_256")
    public = load_der_public_key(client.get_public_key(KeyId=key.id)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(answer["Signature"], b"message", ec.ECDSA(hashes.SHA256()))


def test_rsa_signs(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(spec="RSA_2048")
    answer = client.sign(KeyId=key.id, Message=b"message", SigningAlgorithm="RSASSA_PSS_SHA_256")
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.private_key.public_key().verify(answer["Signature"], b"message", scheme, hashes.SHA256())


def test_a_digest_of_the_wrong_length_is_refused(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(spec="ECC_NIST_P256")
    assert (
        code(client.sign, KeyId=key.id, Message=b"short", MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")
        == "ValidationException"
    )


def test_a_dry_run_that_would_succeed_says_so(client: Any, key: FakeKey) -> None:
    assert refusal(client.sign, KeyId=ALIAS, Message=b"message", DryRun=True, **ED25519) == (
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    )


def test_a_dry_run_of_what_would_fail_fails(client: Any, key: FakeKey) -> None:
    key.disable()
    assert code(client.sign, KeyId=ALIAS, Message=b"message", DryRun=True, **ED25519) == "DisabledException"


def test_a_disabled_key_is_refused_until_it_is_enabled(client: Any, key: FakeKey) -> None:
    key.disable()
    assert refusal(client.sign, KeyId=ALIAS, Message=b"message", **ED25519) == (
        "DisabledException",
        f"{key.arn} is disabled.",
    )
    assert code(client.get_public_key, KeyId=ALIAS) == "DisabledException"
    assert client.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "Disabled"
    key.enable()
    client.sign(KeyId=ALIAS, Message=b"message", **ED25519)


def test_a_key_that_will_be_deleted_is_refused(client: Any, key: FakeKey) -> None:
    key.schedule_deletion()
    assert refusal(client.sign, KeyId=ALIAS, Message=b"message", **ED25519) == (
        "KMSInvalidStateException",
        f"{key.arn} is pending deletion.",
    )
    assert code(client.get_public_key, KeyId=ALIAS) == "KMSInvalidStateException"
    described = client.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert (described["KeyState"], "DeletionDate" in described) == ("PendingDeletion", True)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("alias/missing", "NotFoundException", "Alias {region}:alias/missing is not found."),
        ("missing", "NotFoundException", "Invalid keyId 'missing'"),
        (
            "10000000-0000-4000-8000-000000000000",
            "NotFoundException",
            "Key '{region}:key/10000000-0000-4000-8000-000000000000' does not exist",
        ),
        ("arn:aws:kms:eu-west-1:111122223333:alias/sequencer", "NotFoundException", "Invalid arn eu-west-1"),
        ("arn:aws:s3:::bucket", "InvalidArnException", "Invalid arn arn:aws:s3:::bucket"),
    ],
)
def test_a_name_of_no_key_is_refused(client: Any, key: FakeKey, name: str, error: str, message: str) -> None:
    expected = error, message.format(region="arn:aws:kms:us-east-1:111122223333")
    assert refusal(client.sign, KeyId=name, Message=b"message", **ED25519) == expected


def test_a_key_of_another_account_is_refused(client: Any, key: FakeKey) -> None:
    other = key.arn.replace("111122223333", "444455556666")
    assert code(client.get_public_key, KeyId=other) == "AccessDeniedException"


def test_requests_are_counted_by_operation(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    client.get_public_key(KeyId=ALIAS)
    client.sign(KeyId=ALIAS, Message=b"message", GrantTokens=["token"], **ED25519)
    client.sign(KeyId=ALIAS, Message=b"message", **ED25519)
    assert fake_kms.requests == {"GetPublicKey": 1, "Sign": 2}
    assert fake_kms.received[1].parameters["GrantTokens"] == ["token"]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("DescribeKey", {}, "ValidationException"),
        ("DescribeKey", {"KeyId": ""}, "ValidationException"),
        ("DescribeKey", {"KeyId": 1}, "SerializationException"),
        ("Sign", {"KeyId": ALIAS, "Message": "not Base64!", **ED25519}, "SerializationException"),
    ],
)
def test_what_boto3_would_not_send_is_refused(
    fake_kms: FakeKms, key: FakeKey, operation: str, parameters: dict[str, Any], expected: str
) -> None:
    body = json.dumps(parameters).encode()
    headers = signed_headers(fake_kms, body, operation=operation)
    assert post(fake_kms, operation, body, headers)[1]["__type"] == expected


def test_messages_of_another_type_are_refused(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(spec="ECC_NIST_P256")
    request = {"KeyId": key.id, "Message": bytes(64), "SigningAlgorithm": "ECDSA_SHA_256"}
    assert code(client.sign, MessageType="EXTERNAL_MU", **request) == "ValidationException"
    with pytest.raises(ValueError, match="do not sign"):
        fake_kms.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").sign(b"message", "ECDSA_SHA_256")


def test_rsa_signs_with_both_schemes(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(spec="RSA_2048")
    answer = client.sign(KeyId=key.id, Message=b"message", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_512")
    key.private_key.public_key().verify(answer["Signature"], b"message", padding.PKCS1v15(), hashes.SHA512())
