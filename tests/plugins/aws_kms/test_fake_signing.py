"""What the fake KMS answers to Sign, GetPublicKey and DescribeKey, as a boto3 client sees it."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer_aws_kms.testing import FakeKey, FakeKms
from signer_aws_kms.testing.key_specs import KEY_SPECS, MESSAGE_TYPES
from tests.plugins.aws_kms.clients import ED25519, boto3_client, code, post, refusal, signed_headers

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


#: Of each family of keys one is in the quick runs.
QUICK = {"ECC_NIST_EDWARDS25519", "ECC_NIST_P256", "ML_DSA_44", "RSA_2048"}
SIGNED = [
    pytest.param(spec, algorithm, marks=[] if spec in QUICK else [pytest.mark.slow])
    for spec, facts in KEY_SPECS.items()
    for algorithm in facts.signing_algorithms
]
#: What Sign takes with each algorithm, and its bytes.
DIGESTS = {
    "SHA_256": ("DIGEST", 32),
    "SHA_384": ("DIGEST", 48),
    "SHA_512": ("DIGEST", 64),
    "SHAKE_256": ("EXTERNAL_MU", 64),
}


@pytest.fixture(scope="module")
def every_key() -> Iterator[FakeKms]:
    """A KMS with a key of each kind that signs, whose alias is its name."""
    with FakeKms() as kms:
        for spec, facts in KEY_SPECS.items():
            if facts.sign is not None:
                kms.create_key(alias=f"alias/{spec}", spec=spec)
        yield kms


@pytest.fixture
def asking(every_key: FakeKms) -> Iterator[Any]:
    with boto3_client(every_key) as asking:
        yield asking


def by_its_digest(message: bytes, algorithm: str, public_key: Any) -> tuple[bytes, str]:
    """What stands for a message, and its type."""
    function = re.sub(".*(SHA(KE)?)_", r"\1", algorithm)
    if function == "SHAKE256":
        tr = hashlib.shake_256(public_key.public_bytes_raw()).digest(64)
        return hashlib.shake_256(tr + b"\0\0" + message).digest(64), "EXTERNAL_MU"
    return hashlib.new(function, message).digest(), "DIGEST"


def verify(public_key: Any, signature: bytes, message: bytes, algorithm: str) -> None:
    """Raise if it does not verify, as AWS documents the algorithm."""
    hash_ = getattr(hashes, algorithm[-len("SHA_256") :].replace("_", ""), hashes.SHA256)()
    if algorithm.startswith("ECDSA"):
        public_key.verify(signature, message, ec.ECDSA(hash_))
    elif algorithm.startswith("RSASSA_PSS"):
        public_key.verify(signature, message, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
    elif algorithm.startswith("RSASSA"):
        public_key.verify(signature, message, padding.PKCS1v15(), hash_)
    else:
        public_key.verify(signature, message)


@pytest.mark.parametrize(("spec", "algorithm"), [each for each in SIGNED if "ED25519" not in str(each.values[1])])
def test_a_message_and_what_stands_for_it_are_signed_alike(asking: Any, spec: str, algorithm: str) -> None:
    name = f"alias/{spec}"
    told = asking.get_public_key(KeyId=name)
    assert (told["KeySpec"], algorithm in told["SigningAlgorithms"]) == (spec, True)
    public_key = load_der_public_key(told["PublicKey"])
    for message, message_type in ((b"message", "RAW"), by_its_digest(b"message", algorithm, public_key)):
        request = {"Message": message, "MessageType": message_type, "SigningAlgorithm": algorithm}
        signed = asking.sign(KeyId=name, **request)
        assert signed["SigningAlgorithm"] == algorithm
        verify(public_key, signed["Signature"], b"message", algorithm)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNED)
@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_each_algorithm_has_its_types_of_messages(asking: Any, spec: str, algorithm: str, message_type: str) -> None:
    kind, size = DIGESTS[re.sub(".*(SHA(KE)?_)", r"\1", algorithm)]
    allowed = {"ED25519_SHA_512": {"RAW"}, "ED25519_PH_SHA_512": {"DIGEST"}}.get(algorithm, {"RAW", kind})
    request = {"KeyId": f"alias/{spec}", "MessageType": message_type, "SigningAlgorithm": algorithm, "DryRun": True}
    if message_type not in allowed:
        assert refusal(asking.sign, Message=bytes(size), **request) == (
            "ValidationException",
            f"Message type {message_type} is incompatible with algorithm {algorithm}.",
        )
        return
    signed = "UnsupportedOperationException" if "_PH_" in algorithm else "DryRunOperationException"
    assert code(asking.sign, Message=bytes(size), **request) == signed
    for other in (size - 1, size + 1):
        expected = "DryRunOperationException" if message_type == "RAW" else "ValidationException"
        assert code(asking.sign, Message=bytes(other), **request) == expected


@pytest.mark.parametrize(("spec", "algorithm"), [("RSA_2048", "RSASSA_PSS_SHA_256"), ("ML_DSA_44", "ML_DSA_SHAKE_256")])
def test_a_longer_message_is_refused_with_any_algorithm(asking: Any, spec: str, algorithm: str) -> None:
    request = {"KeyId": f"alias/{spec}", "SigningAlgorithm": algorithm}
    asking.sign(Message=bytes(4096), **request)
    assert code(asking.sign, Message=bytes(4097), **request) == "ValidationException"


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


def test_a_key_that_does_not_sign_says_so(fake_kms: FakeKms) -> None:
    with pytest.raises(ValueError, match="do not sign"):
        fake_kms.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").sign(b"message", "ECDSA_SHA_256")
