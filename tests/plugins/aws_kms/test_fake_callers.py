"""Who may call the fake KMS: signatures, clocks, tokens and policies, with AWS's answers."""

import email.utils
import json
import time
from typing import Any

import attrs
import pytest
from botocore.exceptions import ClientError

from signer_aws_kms.testing import FakeKms, Identity
from tests.plugins.aws_kms.clients import ED25519, boto3_client, code, post, refusal, signed_headers

ALIAS = "alias/sequencer"


@pytest.fixture
def body(fake_kms: FakeKms) -> bytes:
    return json.dumps({"KeyId": fake_kms.create_key(alias=ALIAS).id}).encode()


def test_a_signed_request_is_answered(fake_kms: FakeKms, body: bytes) -> None:
    assert post(fake_kms, "GetPublicKey", body, signed_headers(fake_kms, body))[0] == 200


def test_a_wrong_secret_is_refused(fake_kms: FakeKms, body: bytes) -> None:
    wrong = attrs.evolve(fake_kms.identity, secret_access_key="wrong")
    with boto3_client(fake_kms, wrong) as client:
        error, message = refusal(client.get_public_key, KeyId=ALIAS)
    assert error == "InvalidSignatureException"
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_a_changed_body_is_refused(fake_kms: FakeKms, body: bytes) -> None:
    headers = signed_headers(fake_kms, body)
    status, content = post(fake_kms, "GetPublicKey", body + b" ", headers)
    assert (status, content["__type"]) == (400, "InvalidSignatureException")


def test_an_unknown_access_key_is_refused(fake_kms: FakeKms) -> None:
    with boto3_client(fake_kms, Identity(access_key_id="AKIAUNKNOWN", secret_access_key="secret")) as client:
        assert refusal(client.get_public_key, KeyId=ALIAS) == (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )


def test_an_access_key_that_was_removed_is_unknown(fake_kms: FakeKms, client: Any, body: bytes) -> None:
    client.get_public_key(KeyId=ALIAS)
    fake_kms.remove_identity(fake_kms.identity)
    assert code(client.get_public_key, KeyId=ALIAS) == "UnrecognizedClientException"


def test_a_temporary_access_key_needs_its_token(fake_kms: FakeKms, body: bytes) -> None:
    identity = fake_kms.add_identity(session_token="token")
    with boto3_client(fake_kms, identity) as client:
        client.get_public_key(KeyId=ALIAS)
    for token in (None, "other"):
        with boto3_client(fake_kms, attrs.evolve(identity, session_token=token)) as client:
            assert code(client.get_public_key, KeyId=ALIAS) == "UnrecognizedClientException"


def test_an_expired_token_is_refused(fake_kms: FakeKms, body: bytes) -> None:
    identity = fake_kms.add_identity(session_token="token", expires_at=time.time() - 1)
    with boto3_client(fake_kms, identity) as client:
        assert refusal(client.get_public_key, KeyId=ALIAS) == (
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(-310, "Signature not yet current: "), (-290, None), (290, None), (310, "Signature expired: ")],
)
def test_clocks_may_differ_by_five_minutes(ahead: float, expected: str | None) -> None:
    with FakeKms(clock=lambda: time.time() + ahead) as kms, boto3_client(kms) as client:
        kms.create_key(alias=ALIAS)
        if expected is None:
            client.get_public_key(KeyId=ALIAS)
        else:
            error, message = refusal(client.get_public_key, KeyId=ALIAS)
            assert (error, message[: len(expected)]) == ("InvalidSignatureException", expected)


def test_an_answer_tells_the_servers_time() -> None:
    moment = 1_800_000_000.0
    with FakeKms(clock=lambda: moment) as kms, boto3_client(kms) as client:
        with pytest.raises(ClientError) as failure:
            client.get_public_key(KeyId=ALIAS)
        headers = failure.value.response["ResponseMetadata"]["HTTPHeaders"]
        assert email.utils.parsedate_to_datetime(headers["date"]).timestamp() == moment


def test_a_request_without_a_signature_is_refused(fake_kms: FakeKms, body: bytes) -> None:
    status, content = post(fake_kms, "GetPublicKey", body, {})
    assert (status, content["__type"]) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("scope", [{"region": "eu-west-1"}, {"service": "s3"}])
def test_a_signature_for_elsewhere_is_refused(fake_kms: FakeKms, body: bytes, scope: dict[str, str]) -> None:
    content = post(fake_kms, "GetPublicKey", body, signed_headers(fake_kms, body, **scope))[1]
    assert content["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("part", "replacement", "expected"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5", "IncompleteSignatureException"),
        ("SignedHeaders=", "Headers=", "IncompleteSignatureException"),
        ("/kms/aws4_request", "/kms", "IncompleteSignatureException"),
        ("/aws4_request", "/aws5_request", "InvalidSignatureException"),
        (";x-amz-target", "", "InvalidSignatureException"),
    ],
)
def test_a_malformed_signature_is_refused(
    fake_kms: FakeKms, body: bytes, part: str, replacement: str, expected: str
) -> None:
    headers = signed_headers(fake_kms, body)
    headers["Authorization"] = headers["Authorization"].replace(part, replacement)
    assert post(fake_kms, "GetPublicKey", body, headers)[1]["__type"] == expected


def test_a_malformed_date_is_refused(fake_kms: FakeKms, body: bytes) -> None:
    headers = signed_headers(fake_kms, body)
    headers["X-Amz-Date"] = headers["X-Amz-Date"].replace("T", " ")
    assert post(fake_kms, "GetPublicKey", body, headers)[1]["__type"] == "IncompleteSignatureException"


def test_an_action_that_no_policy_allows_is_denied(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key()
    policy = {"Statement": {"Effect": "Allow", "Action": ["kms:Get*", "kms:DescribeKey"], "Resource": key.arn}}
    with boto3_client(fake_kms, fake_kms.add_identity("alice", policy=policy)) as client:
        client.get_public_key(KeyId=key.id)
        assert refusal(client.sign, KeyId=key.id, Message=b"message", **ED25519) == (
            "AccessDeniedException",
            (
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Sign on resource: "
                f"{key.arn} because no identity-based policy allows the kms:Sign action"
            ),
        )
        assert code(client.get_public_key, KeyId=fake_kms.create_key().id) == "AccessDeniedException"
        assert code(client.create_key) == "AccessDeniedException"


def test_a_denied_action_is_denied(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key()
    policy = json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Action": "KMS:*", "Resource": "arn:aws:kms:*:111122223333:key/*"},
                {"Effect": "Deny", "Action": "kms:Sign", "Resource": "*"},
            ]
        }
    )
    with boto3_client(fake_kms, fake_kms.add_identity(policy=policy)) as client:
        client.describe_key(KeyId=key.id)
        message = refusal(client.sign, KeyId=key.id, Message=b"message", **ED25519)[1]
        assert message.endswith("with an explicit deny in an identity-based policy")


def test_tags_and_aliases_need_permissions_of_their_own(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key()
    policy = {"Statement": {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:CreateAlias"], "Resource": ["*"]}}
    with boto3_client(fake_kms, fake_kms.add_identity(policy=policy)) as client:
        client.create_key()
        assert code(client.create_key, Tags=[{"TagKey": "a", "TagValue": "b"}]) == "AccessDeniedException"
        client.create_alias(AliasName=ALIAS, TargetKeyId=key.id)
    policy = {"Statement": {"Effect": "Allow", "Action": "kms:CreateAlias", "Resource": key.arn}}
    with boto3_client(fake_kms, fake_kms.add_identity(policy=policy)) as client:
        assert code(client.create_alias, AliasName="alias/other", TargetKeyId=key.id) == "AccessDeniedException"


@pytest.mark.parametrize(
    "more",
    [
        {"NotAction": "*"},
        {"Effect": "Maybe"},
        {"Condition": {"StringLike": {"kms:SigningAlgorithm": "ECDSA*"}}},
        {"Condition": {"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}}},
    ],
    ids=str,
)
def test_a_policy_that_is_not_understood_is_refused(fake_kms: FakeKms, more: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", **more}
    with pytest.raises(ValueError, match="does not understand"):
        fake_kms.add_identity(policy={"Statement": statement})


CONDITIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "algorithm": ({"kms:SigningAlgorithm": "ECDSA_SHA_256"}, True),
    "one of several": ({"kms:SigningAlgorithm": ["ED25519_SHA_512", "ECDSA_SHA_256"]}, True),
    "another algorithm": ({"kms:SigningAlgorithm": "ED25519_SHA_512"}, False),
    "the type that goes without saying": ({"kms:MessageType": "RAW"}, True),
    "another type": ({"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"}, False),
}


@pytest.mark.parametrize(("condition", "allowed"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_policy_may_ask_for_an_algorithm_and_a_type_of_message(
    fake_kms: FakeKms, condition: dict[str, Any], allowed: bool
) -> None:
    key = fake_kms.create_key(spec="ECC_NIST_P256")
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": condition}}
    request = {"KeyId": key.id, "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    with boto3_client(fake_kms, fake_kms.add_identity(policy={"Statement": statement})) as client:
        if allowed:
            client.sign(**request)
        else:
            assert code(client.sign, **request) == "AccessDeniedException"
        assert code(client.get_public_key, KeyId=key.id) == "AccessDeniedException"  # has no such parameter
