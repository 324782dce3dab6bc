"""The faults of the fake KMS, as a boto3 client sees them."""

import concurrent.futures
import http.client
import json
import threading
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)

from signer_aws_kms.testing import FakeKey, FakeKms, faults
from signer_core.errors import InvalidSignatureError
from tests.plugins.aws_kms.clients import ED25519, boto3_client, code, post, signed_headers

ALIAS = "alias/sequencer"


@pytest.fixture
def key(fake_kms: FakeKms) -> FakeKey:
    return fake_kms.create_key(alias=ALIAS)


def sign(client: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.sign(KeyId=ALIAS, Message=b"message", **ED25519)
    return answer


def test_a_throttled_request_fails_as_often_as_asked(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    throttled = fake_kms.inject(faults.throttle(), times=2)
    assert [code(sign, client=client) for _ in range(2)] == ["ThrottlingException"] * 2
    sign(client)
    assert (throttled.hits, fake_kms.requests["Sign"]) == (2, 3)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("KMSInternalException", 500),
        ("KeyUnavailableException", 500),
        ("DependencyTimeoutException", 503),
        ("LimitExceededException", 400),
    ],
)
def test_any_error_comes_with_its_status(client: Any, fake_kms: FakeKms, key: FakeKey, error: str, status: int) -> None:
    fake_kms.inject(faults.error(error, "as you wish", retry_after=2))
    with pytest.raises(ClientError) as failure:
        sign(client)
    response = failure.value.response
    assert response["Error"] == {"Code": error, "Message": "as you wish"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "2"


@pytest.mark.parametrize("status", [500, 503])
def test_a_page_of_html_is_answered(client: Any, fake_kms: FakeKms, key: FakeKey, status: int) -> None:
    fake_kms.inject(faults.http_error(status))
    assert code(sign, client=client) == str(status)


@pytest.mark.parametrize("fault", [faults.reset(), faults.close(), faults.lose()])
def test_a_connection_ends_without_an_answer(client: Any, fake_kms: FakeKms, key: FakeKey, fault: Any) -> None:
    fake_kms.inject(fault)
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        sign(client)
    sign(client)
    assert fake_kms.connections_opened == 2


def test_a_connection_ends_in_the_middle_of_an_answer(fake_kms: FakeKms, key: FakeKey) -> None:
    fake_kms.inject(faults.cut())
    body = json.dumps({"KeyId": ALIAS}).encode()
    headers = signed_headers(fake_kms, body)
    with pytest.raises(http.client.IncompleteRead):  # which not every version of boto3 notices
        post(fake_kms, "GetPublicKey", body, headers)
    assert post(fake_kms, "GetPublicKey", body, headers)[0] == 200


def test_a_server_hangs_until_it_is_told(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    go_on = threading.Event()
    fake_kms.inject(faults.hang(go_on))
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        signing = thread.submit(sign, client)
        with pytest.raises(TimeoutError):
            signing.result(0.1)
        go_on.set()
        assert signing.result(10)["KeyId"] == key.arn


def test_a_server_hangs_until_it_stops() -> None:
    with FakeKms() as kms, boto3_client(kms) as client, concurrent.futures.ThreadPoolExecutor(1) as thread:
        kms.create_key(alias=ALIAS)
        kms.inject(faults.hang())
        signing = thread.submit(sign, client)
        with pytest.raises(TimeoutError):
            signing.result(0.1)
        kms.stop()
        with pytest.raises(ConnectionClosedError):
            signing.result(10)


def test_an_answer_drips_byte_by_byte() -> None:
    pauses: list[float] = []
    with FakeKms(pause=pauses.append) as kms, boto3_client(kms) as client:
        kms.create_key(alias=ALIAS)
        kms.inject(faults.drip())
        sign(client)
    assert set(pauses) == {1.0}
    assert len(pauses) > 300


def test_a_dripping_answer_defeats_a_timeout_per_read() -> None:
    with (
        FakeKms() as kms,
        boto3_client(kms, config=Config(read_timeout=0.2, retries={"total_max_attempts": 1})) as client,
    ):
        kms.create_key(alias=ALIAS)
        kms.inject(faults.drip(0.001))
        sign(client)
        kms.inject(faults.hang())
        with pytest.raises(ReadTimeoutError):
            sign(client)


def test_latency_is_waited_for() -> None:
    pauses: list[float] = []
    with FakeKms(pause=pauses.append, latency=0.008) as kms, boto3_client(kms) as client:
        kms.create_key(alias=ALIAS)
        sign(client)
    assert pauses == [0.008]


def test_garbage_is_answered(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    fake_kms.inject(faults.garbage(b"<html>sorry</html>"))
    answer = sign(client)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], "Signature" in answer) == (200, False)


def test_members_are_missing_or_others(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    fake_kms.inject(faults.without("Signature", "KeyId"))
    answer = sign(client)
    assert set(answer) - {"ResponseMetadata"} == {"SigningAlgorithm"}
    fake_kms.inject(faults.with_members(SigningAlgorithm="ECDSA_SHA_256"))
    assert sign(client)["SigningAlgorithm"] == "ECDSA_SHA_256"


def test_another_key_is_named(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    other = fake_kms.create_key()
    fake_kms.inject(faults.other_key_id(other.arn))
    assert sign(client)["KeyId"] == other.arn
    fake_kms.inject(faults.other_key_id())
    assert sign(client)["KeyId"] not in (key.arn, other.arn)


def test_another_key_signs(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    fake_kms.inject(faults.other_key_signature())
    answer = sign(client)
    assert (answer["KeyId"], len(answer["Signature"])) == (key.arn, 64)
    with pytest.raises(InvalidSignatureError):
        key.public_key.verify(answer["Signature"], b"message")


def test_a_signature_is_bent(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    right = sign(client)["Signature"]
    fake_kms.inject(faults.flip_bit(9))
    assert [a ^ b for a, b in zip(sign(client)["Signature"], right, strict=True)] == [0, 2] + [0] * 62
    fake_kms.inject(faults.shorten())
    assert sign(client)["Signature"] == right[:-1]


def test_a_fault_that_changes_an_answer_leaves_errors_alone(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    key.disable()
    fake_kms.inject(faults.flip_bit())
    assert code(sign, client=client) == "DisabledException"


def test_a_fault_is_for_a_key_an_operation_and_a_count(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    other = fake_kms.create_key()
    injected = fake_kms.inject(faults.throttle(), operation="Sign", key=key, times=None, skip=1, every=2)
    client.sign(KeyId=other.id, Message=b"message", **ED25519)
    client.get_public_key(KeyId=key.id)
    outcomes = []
    for name in (ALIAS, key.id, key.arn, ALIAS, ALIAS):
        try:
            client.sign(KeyId=name, Message=b"message", **ED25519)
            outcomes.append("signed")
        except ClientError:
            outcomes.append("failed")
    assert outcomes == ["signed", "failed", "signed", "failed", "signed"]
    assert injected.hits == 2
    fake_kms.clear_faults()
    sign(client)


def test_a_fault_of_ones_own(client: Any, fake_kms: FakeKms, key: FakeKey) -> None:
    seen = []

    def note(request: faults.Request) -> Any:
        seen.append((request.operation, request.key))
        return request.proceed()

    fake_kms.inject(note)
    sign(client)
    assert seen == [("Sign", key)]
