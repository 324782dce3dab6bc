"""Credentials that AWS refuses before their time: others are taken where there are some; nobody is asked for each."""

import time
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from signer_aws_kms.chain import found_anew
from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.credentials import Credentials
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.session import session_of
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Deadline, Signer
from signer_core.errors import AccessDeniedError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.signers import ALIAS, opened
from tests.plugins.aws_kms.sources import CredentialProcess, SharedFile, Source

HOUR = 3600.0


@pytest.fixture
def shared_file(fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedFile:
    fake_kms.create_key(alias=ALIAS)
    return SharedFile(tmp_path, monkeypatch)


@pytest.fixture
def process(fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CredentialProcess:
    fake_kms.create_key(alias=ALIAS)
    return CredentialProcess(tmp_path, monkeypatch)


def caller(kms: FakeKms) -> str:
    """Who made the last call, by the access key."""
    return kms.received[-1].headers["authorization"].partition("Credential=")[2].partition("/")[0]


def test_a_token_that_aws_calls_expired_is_renewed(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=HOUR)
    with Signer(AwsKmsKey.open(ALIAS, session=source.session())) as signer:
        fake_kms.inject(faults.error("ExpiredTokenException"), operation="Sign")
        signer.sign(b"message")
    assert fake_kms.received[-1].headers["x-amz-security-token"] == "token 1"


def test_a_refusal_that_does_not_blame_the_credentials_renews_none(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=HOUR)
    with Signer(AwsKmsKey.open(ALIAS, session=source.session())) as signer:
        fake_kms.inject(faults.error("AccessDeniedException"), operation="Sign")
        with pytest.raises(AccessDeniedError):
            signer.sign(b"message")
    assert source.asked == 1


def test_a_token_that_cannot_be_renewed_is_access_denied(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    identity = fake_kms.add_identity(session_token="expired token", expires_at=time.time() - 1)
    for name, value in identity.environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AccessDeniedError, match=r"ExpiredToken.*renew the credentials"):
        opened()


CODES = ["ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"]


@pytest.mark.parametrize("code", CODES)
def test_credentials_that_were_written_into_the_shared_file_are_used_when_the_old_ones_are_refused(
    fake_kms: FakeKms, shared_file: SharedFile, code: str
) -> None:
    old, new = fake_kms.add_identity(session_token="old"), fake_kms.add_identity(session_token="new")
    shared_file.write(old)
    with opened() as signer:
        shared_file.write(new)
        signer.sign(b"message")
        assert caller(fake_kms) == old.access_key_id  # which is good yet
        fake_kms.inject(faults.error(code), operation="Sign")
        signer.sign(b"message")
        assert caller(fake_kms) == new.access_key_id
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 4


def test_who_opens_another_signer_gets_what_the_shared_file_has_now(fake_kms: FakeKms, shared_file: SharedFile) -> None:
    old, new = fake_kms.add_identity(), fake_kms.add_identity()
    shared_file.write(old)
    with opened():
        shared_file.write(new)
        with opened():
            assert caller(fake_kms) == new.access_key_id


def test_a_new_token_in_the_environment_is_used_when_the_old_one_is_refused(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        new = fake_kms.add_identity(session_token="new")
        for name, value in new.environment().items():
            monkeypatch.setenv(name, value)
        fake_kms.remove_identity(fake_kms.identity)
        signer.sign(b"message")
    assert caller(fake_kms) == new.access_key_id


def test_credentials_of_another_profile_than_at_opening_are_not_taken(
    fake_kms: FakeKms, shared_file: SharedFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, other = fake_kms.add_identity(), fake_kms.add_identity()
    shared_file.write(old)
    with opened() as signer:
        shared_file.write(other, profile="other")
        monkeypatch.setenv("AWS_PROFILE", "other")
        fake_kms.inject(faults.error("ExpiredTokenException"), times=None)
        with pytest.raises(AccessDeniedError):
            signer.sign(b"message")
    assert caller(fake_kms) == old.access_key_id


def test_credentials_for_which_there_are_no_others_are_access_denied(
    fake_kms: FakeKms, shared_file: SharedFile
) -> None:
    identity = fake_kms.add_identity()
    shared_file.write(identity)
    with opened() as signer:
        fake_kms.remove_identity(identity)
        with pytest.raises(AccessDeniedError, match=r"UnrecognizedClient.*renew the credentials, or check where they"):
            signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 1


def test_credentials_that_are_gone_are_access_denied(fake_kms: FakeKms, shared_file: SharedFile) -> None:
    identity = fake_kms.add_identity()
    shared_file.write(identity)
    with opened() as signer:
        shared_file.write(identity, profile="other")
        fake_kms.remove_identity(identity)
        told = r"^KMS Sign of .* was not sent: there are no AWS credentials; set AWS_PROFILE"
        with pytest.raises(AccessDeniedError, match=told):
            signer.sign(b"message")


def test_a_session_of_the_users_own_is_not_replaced(fake_kms: FakeKms, shared_file: SharedFile) -> None:
    old = fake_kms.add_identity()
    shared_file.write(old)
    with Signer(AwsKmsKey.open(ALIAS, session=boto3.Session())) as signer:
        shared_file.write(fake_kms.add_identity())
        fake_kms.remove_identity(old)
        with pytest.raises(AccessDeniedError, match="UnrecognizedClient"):
            signer.sign(b"message")


def test_a_credential_process_runs_once_per_account_and_not_per_signature(
    fake_kms: FakeKms, process: CredentialProcess
) -> None:
    process.give(fake_kms.add_identity(session_token="token"), lifetime=HOUR)
    with opened() as signer, opened() as other:
        for _ in range(20):
            signer.sign(b"message")
            other.sign(b"message")
    assert process.runs == 1


def test_a_process_that_gives_what_was_refused_is_not_run_for_each_refusal(
    fake_kms: FakeKms, process: CredentialProcess
) -> None:
    process.give(fake_kms.add_identity(session_token="stale"), lifetime=HOUR)
    clock = Clock()
    config = AwsKmsConfig(key_id=ALIAS)
    credentials = Credentials(
        session_of(config).get_credentials, find_anew=lambda: found_anew(config, None), clock=clock
    )
    stale = credentials.current(Deadline.after(PATIENCE))
    runs = []
    for _ in range(4):
        for _ in range(10):
            assert not credentials.replace(stale, Deadline.after(PATIENCE))
            assert credentials.current(Deadline.after(PATIENCE)) == stale
        runs.append(process.runs)
        clock.now += 1
    assert runs == [3, 5, 5, 7]  # it is asked to renew, then anew, at first and after 1 and 3 seconds


def test_a_source_that_gives_what_was_refused_is_not_asked_for_each_refusal(fake_kms: FakeKms) -> None:
    source = Source(fake_kms, lifetime=HOUR)
    credentials = Credentials(source.session().get_credentials, clock=source.clock)
    stale = credentials.current(Deadline.after(PATIENCE))
    source.stale = True
    for _ in range(100):
        for _ in range(10):
            assert not credentials.replace(stale, Deadline.after(PATIENCE))
        source.clock.now += 1
    assert source.asked == 1 + 22  # at first, after 1, 3, 7 seconds, and every five
    source.stale = False
    source.clock.now += 5
    assert credentials.replace(stale, Deadline.after(PATIENCE))
    assert credentials.current(Deadline.after(PATIENCE)).token == "token 1"


def test_a_source_that_is_away_when_credentials_are_refused_is_a_retryable_error_and_costs_none(
    fake_kms: FakeKms,
) -> None:
    source = Source(fake_kms, lifetime=HOUR)
    credentials = Credentials(source.session().get_credentials, clock=source.clock)
    good = credentials.current(Deadline.after(PATIENCE))
    source.error = EndpointConnectionError(endpoint_url="https://sts.amazonaws.com")
    for _ in range(10):
        with pytest.raises(AccessDeniedError, match="could not be renewed: EndpointConnectionError") as caught:
            credentials.replace(good, Deadline.after(PATIENCE))
        assert caught.value.retryable
    assert source.asked == 2
    source.clock.now += 2
    assert credentials.current(Deadline.after(PATIENCE)) is good  # perhaps AWS was wrong


def test_a_process_that_has_new_credentials_is_run_when_the_old_ones_are_refused(
    fake_kms: FakeKms, process: CredentialProcess
) -> None:
    process.give(fake_kms.add_identity(session_token="old"), lifetime=HOUR)
    with opened() as signer:
        new = fake_kms.add_identity(session_token="new")
        process.give(new, lifetime=HOUR)
        fake_kms.inject(faults.error("ExpiredTokenException"))
        signer.sign(b"message")
        assert (caller(fake_kms), process.runs) == (new.access_key_id, 2)
