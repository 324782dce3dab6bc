"""Signing with an open key."""

import base64
import logging
import pickle
from typing import Any

import pytest

from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, create_signer
from signer_core.errors import BackendUnavailableError, MessageTooLargeError, SignatureVerificationError, SignerError
from signer_core.testing.secrecy import told
from tests.plugins.aws_kms.signers import ALIAS, opened, options


def last_request(kms: FakeKms) -> dict[str, Any]:
    return dict(kms.received[-1].parameters)


def test_sign_is_asked_of_the_arn_for_the_whole_message(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"block header")
    assert last_request(fake_kms) == {
        "KeyId": key.arn,
        "Message": base64.b64encode(b"block header").decode(),
        "MessageType": "RAW",
        "SigningAlgorithm": "ED25519_SHA_512",
    }


def test_a_signature_verifies_with_the_keys_public_key(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        key.public_key.verify(signer.sign(b"message"), b"message")


def test_grant_tokens_are_passed_on(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(grant_tokens=["token"]) as signer:
        signer.sign(b"message")
    assert [request.parameters["GrantTokens"] for request in fake_kms.received] == [["token"], ["token"]]


def test_grant_tokens_do_not_show(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(grant_tokens=["a-grant-token"]) as signer:
        assert "a-grant-token" not in repr(signer)


def test_an_empty_message_is_sent(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"")
    assert last_request(fake_kms)["Message"] == ""


def test_a_message_of_4096_bytes_is_signed(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.public_key.verify(signer.sign(bytes(4096)), bytes(4096))


def test_a_message_of_4097_bytes_is_refused_without_a_call_and_with_the_reason(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer, pytest.raises(MessageTooLargeError, match=r"Ed25519ph.*another algorithm") as caught:
        signer.sign(bytes(4097))
    assert (caught.value.limit, caught.value.size) == (4096, 4097)
    assert fake_kms.requests["Sign"] == 0


WRONG_SIGNATURES = {
    "another key's name": faults.other_key_id(),
    "another key's signature": faults.other_key_signature(),
    "a flipped bit": faults.flip_bit(),
    "a short one": faults.shorten(),
}


@pytest.mark.parametrize("fault", WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES)
def test_a_wrong_signature_is_an_error(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(fault, operation="Sign")
    with opened() as signer, pytest.raises(SignatureVerificationError):
        signer.sign(b"message")


def test_another_keys_answer_is_an_error_where_signatures_are_not_verified(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.other_key_id(), operation="Sign")
    with opened(verify=False) as signer, pytest.raises(SignatureVerificationError, match="another key"):
        signer.sign(b"message")


@pytest.mark.parametrize(
    "fault",
    [
        faults.without("Signature"),
        faults.with_members(Signature=7),
        faults.with_members(Signature="?"),
        faults.garbage(),
    ],
    ids=["without", "number", "no-base64", "no-json"],
)
def test_an_answer_without_a_signature_is_tried_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(fault, operation="Sign")
    with create_signer(options()) as signer:
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 2


def test_an_answer_without_a_signature_is_in_the_end_an_error(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.without("Signature"), operation="Sign", times=None)
    with opened() as signer, pytest.raises(BackendUnavailableError, match="no signature"):
        signer.sign(b"message")


def test_a_key_that_is_closed_twice_leaves_the_connections_of_others_alone(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    first, second = AwsKmsKey.open(ALIAS), AwsKmsKey.open(ALIAS)
    first.close()
    first.close()
    with Signer(second) as signer:
        signer.sign(b"message")
    second.close()
    assert fake_kms.connections_opened == 1


def test_a_signer_out_of_a_configuration_pickles(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer, pickle.loads(pickle.dumps(signer)) as again:
        assert again.key_id == signer.key_id


OUTCOMES: dict[str, faults.Fault | None] = {
    "signed": None,
    "refused": faults.error("ValidationException"),
    "denied": faults.error("AccessDeniedException", "User: arn:aws:iam::111122223333:user/x is not authorized"),
    "wrong signature": faults.flip_bit(),
    "wrong key": faults.other_key_id(),
    "no signature": faults.with_members(Signature="?"),
    "garbage": faults.garbage(),
    "reset": faults.reset(),
    "expired": faults.error("ExpiredTokenException"),
}


@pytest.mark.parametrize("fault", OUTCOMES.values(), ids=OUTCOMES)
def test_nothing_that_is_secret_is_logged_or_told(
    fake_kms: FakeKms, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, fault: faults.Fault | None
) -> None:
    fake_kms.create_key(alias=ALIAS)
    identity = fake_kms.add_identity(session_token="the-token-of-the-session")
    for name, value in identity.environment().items():
        monkeypatch.setenv(name, value)
    message, told_of_error = b"this must not be seen anywhere", ""
    with caplog.at_level(logging.DEBUG), opened(grant_tokens=["the-grant-token"]) as signer:
        hidden = [message, signer.sign(message)]
        if fault is not None:
            fake_kms.inject(fault, operation="Sign", times=None)
            with pytest.raises(SignerError) as caught:
                signer.sign(message)
            told_of_error = told(caught.value)
    seen = f"{caplog.text} {told_of_error} {signer!r}"
    for each in hidden:
        assert not any(text in seen for text in (base64.b64encode(each).decode(), each.hex(), repr(each)[2:-1]))
    secrets = (identity.secret_access_key, "the-token-of-the-session", "the-grant-token")
    assert not any(secret in seen for secret in secrets)
    assert "botocore" in {record.name.partition(".")[0] for record in caplog.records}  # whose logs are looked at, too


def test_the_request_is_json_that_any_kms_reads(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(grant_tokens=['"quoted"']) as signer:
        signer.sign(b"message")
    assert last_request(fake_kms)["GrantTokens"] == ['"quoted"']
