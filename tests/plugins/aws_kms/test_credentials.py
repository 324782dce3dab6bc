"""The credentials that requests are signed with: found, renewed in time, and taken anew when AWS refuses them."""

import logging
import threading
import time
from typing import Any

import boto3
import pytest

from signer_aws_kms.credentials import Credentials
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Deadline, Signer
from signer_core.errors import AccessDeniedError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.signers import ALIAS, opened
from tests.plugins.aws_kms.sources import Source


def signer_of(session: boto3.Session) -> Signer:
    return Signer(AwsKmsKey.open(ALIAS, session=session), timeout=10)


def test_the_token_of_a_session_is_sent_and_signed(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=3600)
    with signer_of(source.session()) as signer:
        signer.sign(b"message")
    headers = fake_kms.received[-1].headers
    assert headers["x-amz-security-token"] == "token 0"
    assert "x-amz-security-token" in headers["authorization"]


def test_credentials_that_will_expire_are_renewed_while_signing_goes_on(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=700)  # botocore renews 900 seconds before the end
    session = source.session()
    source.gate = threading.Event()
    source.lifetime = 3600
    credentials = Credentials(session.get_credentials)
    first = credentials_keys(session)
    credentials._found, credentials._keys = session.get_credentials(), first
    assert credentials.current(Deadline.after(PATIENCE)) is first  # though the source hangs
    source.gate.set()
    assert credentials._loading.begin().landed.wait(PATIENCE)
    credentials._loading.result(Deadline.after(PATIENCE))
    assert credentials.current(Deadline.after(PATIENCE)).token == "token 1"


def credentials_keys(session: boto3.Session) -> Any:
    """The credentials as they are, without renewing them."""
    return session.get_credentials()._frozen_credentials


def test_expired_credentials_are_renewed_before_the_call(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=-1)
    session = source.session()
    source.lifetime = 3600
    with signer_of(session) as signer:
        signer.sign(b"message")
    assert fake_kms.received[-1].headers["x-amz-security-token"] == "token 1"


def test_a_token_that_aws_calls_expired_is_renewed_once(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=3600)
    with signer_of(source.session()) as signer:
        fake_kms.inject(faults.error("ExpiredTokenException"), operation="Sign")
        signer.sign(b"message")
    assert fake_kms.received[-1].headers["x-amz-security-token"] == "token 1"


def test_a_token_that_cannot_be_renewed_is_access_denied(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    identity = fake_kms.add_identity(session_token="expired token", expires_at=time.time() - 1)
    for name, value in identity.environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AccessDeniedError, match=r"ExpiredToken.*renew the credentials"):
        opened()


def test_a_source_that_fails_is_an_error_without_what_it_said(fake_kms: FakeKms) -> None:
    from signer_core.testing.secrecy import told

    source = Source(fake_kms, lifetime=-1)
    session = source.session()
    source.error = ValueError("it printed wJalrXUtnFEMI")
    with pytest.raises(AccessDeniedError, match="could not be found: ValueError") as caught:
        signer_of(session)
    assert "wJalrXUtnFEMI" not in told(caught.value)


def test_a_source_that_fails_while_credentials_are_good_is_a_warning(
    fake_kms: FakeKms, caplog: pytest.LogCaptureFixture
) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=300)  # within the last ten minutes botocore itself would raise
    session = source.session()
    source.error = ValueError("it printed wJalrXUtnFEMI")
    clock = Clock()
    credentials = Credentials(session.get_credentials, clock=clock)
    credentials._found, credentials._keys = session.get_credentials(), credentials_keys(session)
    with caplog.at_level(logging.WARNING, "signer_aws_kms"):
        flight = credentials._loading.begin()
        assert flight.landed.wait(PATIENCE)
    assert flight.result(Deadline.after(1)) is credentials._keys
    assert "could not be renewed yet: ValueError" in caplog.text


def test_a_passing_failure_of_the_source_is_retryable(fake_kms: FakeKms) -> None:
    from botocore.exceptions import ConnectTimeoutError

    source = Source(fake_kms, lifetime=-1)
    session = source.session()
    source.error = ConnectTimeoutError(endpoint_url="http://169.254.169.254")
    with pytest.raises(AccessDeniedError) as caught:
        Credentials(session.get_credentials).current(Deadline.after(PATIENCE))
    assert caught.value.retryable
