"""What becomes of each error: its class, whether it is tried again, and what it tells."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import botocore.credentials
import pytest

from signer_aws_kms.testing import FakeKey, FakeKms, faults
from signer_core import create_signer
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    KeyNotFoundError,
    KeyUnavailableError,
    SignerError,
    SignError,
)
from tests.plugins.aws_kms.certificates import authority_and_server
from tests.plugins.aws_kms.peers import answering, closing, http, peer
from tests.plugins.aws_kms.signers import ALIAS, account, opened, options

TRANSIENT = [
    "ThrottlingException",
    "Throttling",
    "RequestThrottledException",
    "TooManyRequestsException",
    "KMSInternalException",
    "KeyUnavailableException",
    "DependencyTimeoutException",
    "InternalFailure",
    "InternalException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "RequestAbortedException",
]
PERMANENT: dict[str, type[SignerError]] = {
    "AccessDeniedException": AccessDeniedError,
    "NotAuthorized": AccessDeniedError,
    "UnrecognizedClientException": AccessDeniedError,
    "InvalidClientTokenId": AccessDeniedError,
    "ExpiredTokenException": AccessDeniedError,
    "InvalidSignatureException": AccessDeniedError,
    "SignatureDoesNotMatch": AccessDeniedError,
    "IncompleteSignature": AccessDeniedError,
    "MissingAuthenticationToken": AccessDeniedError,
    "OptInRequired": AccessDeniedError,
    "DisabledException": KeyUnavailableError,
    "KMSInvalidStateException": KeyUnavailableError,
    "InvalidStateException": KeyUnavailableError,
    "InvalidKeyUsageException": KeyUnavailableError,
    "UnsupportedOperationException": KeyUnavailableError,
    "NotFoundException": KeyNotFoundError,
    "InvalidArnException": ConfigError,
    "InvalidGrantTokenException": ConfigError,
    "ValidationException": ConfigError,
    "ValidationError": ConfigError,
    "LimitExceededException": SignError,
    "SomethingNewException": SignError,
}


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_transient_error_is_tried_again(fake_kms: FakeKms, code: str) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error(code, status=400), operation="Sign")
    with create_signer(options()) as signer:
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_http_error_is_tried_again(fake_kms: FakeKms, status: int) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.http_error(status), operation="Sign")
    with create_signer(options()) as signer:
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 2


@pytest.mark.parametrize(
    ("status", "attempts"), [(500, 2), (502, 2), (503, 2), (504, 2), (429, 2), (400, 1), (404, 1), (409, 1), (501, 1)]
)
def test_an_unknown_code_is_judged_by_its_status(fake_kms: FakeKms, status: int, attempts: int) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error("SomethingNewException", status=status), operation="Sign")
    with create_signer(options()) as signer, contextlib.suppress(SignError):
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == attempts


CODES = {
    "in the body": http(b'{"__type": "NotFoundException"}', status="400 Bad Request"),
    "of a namespace": http(b'{"__type": "com.amazonaws.kms#NotFoundException"}', status="400 Bad Request"),
    "in a header": http(
        b"{}", status="400 Bad Request", headers="x-amzn-ErrorType: NotFoundException:http://internal.amazon.com/\r\n"
    ),
    "in a header alone": http(b"", status="400 Bad Request", headers="x-amzn-ErrorType: NotFoundException\r\n"),
}


@pytest.mark.parametrize("answer", CODES.values(), ids=CODES)
def test_a_code_is_found_wherever_aws_puts_it(fake_kms: FakeKms, answer: bytes) -> None:
    with peer(answering(answer)) as server, pytest.raises(KeyNotFoundError, match="failed: NotFoundException"):
        opened(endpoint_url=f"http://127.0.0.1:{server.port}")


@pytest.mark.parametrize("fault", [faults.reset(), faults.close(), faults.cut(), faults.garbage()])
def test_a_broken_answer_is_tried_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(fault, operation="Sign")
    with create_signer(options()) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")


@pytest.mark.parametrize(("code", "kind"), PERMANENT.items(), ids=PERMANENT)
def test_a_permanent_error_is_raised_at_once(fake_kms: FakeKms, code: str, kind: type[SignerError]) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error(code, status=400), operation="Sign", times=None)
    with create_signer(options()) as signer, pytest.raises(kind) as caught:
        signer.sign(b"message")
    assert (type(caught.value), caught.value.retryable) == (kind, False)
    assert fake_kms.requests["Sign"] == 1


@pytest.mark.parametrize("code", sorted(PERMANENT.keys() - {"SomethingNewException"}))
def test_a_permanent_error_is_one_whatever_its_status(fake_kms: FakeKms, code: str) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error(code, status=500), operation="Sign")
    with create_signer(options()) as signer, pytest.raises(PERMANENT[code]):
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 1


@pytest.mark.parametrize("code", ["ThrottlingException", *PERMANENT])
def test_an_error_names_key_region_operation_code_and_request(fake_kms: FakeKms, code: str) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error(code, status=400), operation="Sign", times=None)
    with opened() as signer, pytest.raises(SignerError) as caught:
        signer.sign(b"message")
    message = str(caught.value)
    assert all(part in message for part in (key.arn, "us-east-1", "KMS Sign", code))
    assert "request " in message
    assert "without id" not in message


@pytest.mark.parametrize("code", sorted(PERMANENT.keys() - {"SomethingNewException"}))
def test_a_permanent_error_has_a_remedy(fake_kms: FakeKms, code: str) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error(code, status=400), operation="Sign")
    with opened() as signer, pytest.raises(SignerError) as caught:
        signer.sign(b"message")
    assert caught.value.remedy


@pytest.mark.parametrize("change", [FakeKey.disable, FakeKey.schedule_deletion])
def test_a_key_that_cannot_sign_is_not_opened(fake_kms: FakeKms, change: Callable[[FakeKey], None]) -> None:
    change(fake_kms.create_key(alias=ALIAS))
    with pytest.raises(KeyUnavailableError, match=f"GetPublicKey of {ALIAS}"):
        opened()
    assert fake_kms.requests == {"GetPublicKey": 1}


def test_a_disabled_key_is_unavailable(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        key.disable()
        with pytest.raises(KeyUnavailableError, match="enable-key"):
            signer.sign(b"message")


def test_a_key_that_will_be_deleted_is_unavailable(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        key.schedule_deletion()
        with pytest.raises(KeyUnavailableError, match="cancel-key-deletion"):
            signer.sign(b"message")


def test_an_unknown_access_key_is_access_denied(fake_kms: FakeKms) -> None:
    fake_kms.remove_identity(fake_kms.identity)
    with pytest.raises(AccessDeniedError, match="credentials"):
        opened()


def test_a_wrong_secret_key_is_access_denied_and_the_canonical_request_is_not_told(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret access key")
    with pytest.raises(AccessDeniedError, match="check the secret access key") as caught:
        opened()
    assert "canonical" not in str(caught.value).lower()


def test_no_credentials_are_access_denied(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    sent = rf"KMS GetPublicKey of {ALIAS} in us-east-1 was not sent: there are no AWS credentials.*AWS_PROFILE"
    with pytest.raises(AccessDeniedError, match=sent):
        opened()


def test_half_of_the_credentials_are_access_denied(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccessDeniedError):
        opened()


def test_a_source_of_credentials_that_hangs_is_named(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    _held, over = account(), threading.Event()
    monkeypatch.setattr(botocore.credentials.CredentialResolver, "load_credentials", lambda _: over.wait(30) and None)
    with pytest.raises(
        DeadlineExceededError, match=f"GetPublicKey of {ALIAS} in us-east-1 was not sent.*no AWS credentials in time"
    ):
        opened(timeout="200ms")
    over.set()


@pytest.mark.parametrize("secret", ["with\nnewline", "ümlaut", " padded"])
def test_credentials_that_cannot_stand_in_a_header_are_access_denied(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with pytest.raises(AccessDeniedError, match="impossible characters") as caught:
        opened()
    assert secret not in str(caught.value)


def test_retry_after_is_honoured(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with create_signer(options()) as signer:
        fake_kms.inject(faults.throttle(retry_after=3600), operation="Sign", times=None)
        with pytest.raises(SignError, match="would begin after the deadline") as caught:
            signer.sign(b"message")
    assert caught.value.retry_after == 3600
    assert fake_kms.requests["Sign"] == 1


NOON = "Fri, 07 Aug 2026 12:00:00 GMT"
RETRY_AFTER: dict[str, tuple[str, float | None]] = {
    "seconds": ("30", 30.0),
    "a part of one": ("0.25", 0.25),
    "a date": ("Fri, 07 Aug 2026 12:00:30 GMT", 30.0),
    "a date without a zone": ("Fri, 07 Aug 2026 12:00:30", 30.0),
    "a date that is over": ("Fri, 07 Aug 2026 11:00:00 GMT", 0.0),
    "a day": ("86400", 3600.0),
    "a far date": ("Fri, 07 Aug 2099 12:00:00 GMT", 3600.0),
    "an impossible date": ("Fri, 32 Aug 2026 12:00:00 GMT", None),
    "a word": ("soon", None),
    "less than nothing": ("-1", None),
    "more digits than time has": ("1" * 400, None),
}


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
@pytest.mark.parametrize("fault", [faults.throttle(), faults.http_error(503)], ids=["AWS", "HTML"])
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_most(
    fake_kms: FakeKms, fault: faults.Fault, text: str, seconds: float | None
) -> None:
    def later(request: faults.Request) -> Any:
        answer = fault(request)
        return attrs.evolve(answer, headers={**answer.headers, "Date": NOON, "Retry-After": text})

    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(later, operation="Sign")
    with opened() as signer, pytest.raises(BackendUnavailableError) as caught:
        signer.sign(b"message")
    assert caught.value.retry_after == seconds


def test_a_refused_connection_is_retryable(fake_kms: FakeKms) -> None:
    with peer(closing) as server:
        port = server.port
    with pytest.raises(BackendUnavailableError, match=r"connection broke.*; check the network") as caught:
        opened(endpoint_url=f"http://127.0.0.1:{port}")
    assert caught.value.retryable


def test_a_name_that_does_not_exist_is_not_retryable(fake_kms: FakeKms) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(BackendUnavailableError, match=r"cannot be resolved.*check region and endpoint_url") as caught,
    ):
        patch.setattr(socket, "getaddrinfo", resolve)
        create_signer(options(endpoint_url="https://kms.example.invalid"))
    assert not caught.value.retryable


def test_a_resolver_that_says_try_again_is_retryable(fake_kms: FakeKms) -> None:
    asked = []

    def resolve(*_: object, **__: object) -> None:
        asked.append(1)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(BackendUnavailableError, match="cannot be resolved"):
        patch.setattr(socket, "getaddrinfo", resolve)
        create_signer(options(endpoint_url="https://kms.example.invalid", max_retries=1))
    assert len(asked) == 2


def test_a_certificate_that_nobody_vouches_for_is_not_retryable(tmp_path: Path, fake_kms: FakeKms) -> None:
    _, context = authority_and_server(tmp_path)
    with (
        FakeKms(tls=context) as kms,
        pytest.raises(BackendUnavailableError, match=r"not trusted.*AWS_CA_BUNDLE") as caught,
    ):
        create_signer(options(endpoint_url=kms.endpoint_url))
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html></html>", status="403 Forbidden"),
        http(b"[]"),
        http(b'{"__type": 7}', status="400 Bad Request"),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 2OO OK\r\n\r\n",
    ],
    ids=["html", "list", "no code", "ssh", "no status"],
)
def test_what_is_not_kms_is_retryable(fake_kms: FakeKms, answer: bytes) -> None:
    with peer(answering(answer)) as server, pytest.raises(BackendUnavailableError) as caught:
        opened(endpoint_url=f"http://127.0.0.1:{server.port}")
    assert caught.value.retryable


def test_text_of_the_server_is_told_as_one_line_of_bearable_length(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error("ValidationException", "a\n\x1b[31m" + "b" * 10_000), operation="Sign")
    with opened() as signer, pytest.raises(SignerError) as caught:
        signer.sign(b"message")
    assert len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()
