"""No call outlasts its deadline because its credentials take their time; and what is said of those that fail."""

import json
import logging
import threading
from pathlib import Path

import pytest

from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, create_signer
from signer_core.errors import AccessDeniedError, DeadlineExceededError, SignCancelledError
from signer_core.testing.secrecy import told
from tests.plugins.aws_kms.peers import BUDGET, PATIENCE, Measured
from tests.plugins.aws_kms.signers import ALIAS, opened, options
from tests.plugins.aws_kms.sources import CredentialProcess, Source, landed

HOUR = 3600.0


@pytest.fixture
def process(fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CredentialProcess:
    fake_kms.create_key(alias=ALIAS)
    return CredentialProcess(tmp_path, monkeypatch)


def test_opening_ends_in_time_when_the_source_hangs(process: CredentialProcess) -> None:
    with process.hanging(), Measured(), pytest.raises(DeadlineExceededError, match="no AWS credentials in time"):
        create_signer(options(), timeout=BUDGET)
    landed()
    assert process.runs == 1


def test_signing_ends_in_time_when_the_source_hangs(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=-1)
    session = source.session()
    source.lifetime = 1  # expired again when they are looked at for the first time
    with Signer(AwsKmsKey.open(ALIAS, session=session)) as signer:
        source.clock.now += 2
        source.gate.clear()
        with Measured(), pytest.raises(DeadlineExceededError, match="no AWS credentials in time"):
            signer.sign(b"message", timeout=BUDGET)
        source.gate.set()
        signer.sign(b"message")


def test_signing_ends_in_time_when_the_source_hangs_that_is_asked_for_others(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=HOUR)
    with Signer(AwsKmsKey.open(ALIAS, session=source.session())) as signer:
        fake_kms.inject(faults.error("ExpiredTokenException"))
        source.gate.clear()
        with Measured(), pytest.raises(DeadlineExceededError, match="no AWS credentials in time"):
            signer.sign(b"message", timeout=BUDGET)
        source.gate.set()
        signer.sign(b"message")


def test_a_cancelled_call_waits_for_no_credentials(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=HOUR)
    cancel = threading.Event()
    with Signer(AwsKmsKey.open(ALIAS, session=source.session())) as signer:
        fake_kms.inject(faults.error("ExpiredTokenException"))
        source.gate.clear()
        threading.Timer(0.05, cancel.set).start()
        with Measured(), pytest.raises(SignCancelledError):
            signer.sign(b"message", timeout=PATIENCE, cancel=cancel)
        source.gate.set()


SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
PRINTED = {
    "fails": (json.dumps({"Version": 1, "SecretAccessKey": SECRET}), 1),
    "is no JSON": (f"{{'SecretAccessKey': '{SECRET}'", 0),
    "is of another version": (json.dumps({"Version": 2, "SecretAccessKey": SECRET}), 0),
    "is not whole": (json.dumps({"Version": 1, "SecretAccessKey": SECRET}), 0),
    "has no date": (
        json.dumps({"Version": 1, "AccessKeyId": "A", "SecretAccessKey": SECRET, "Expiration": "yesterday"}),
        0,
    ),
}


@pytest.mark.parametrize(("stdout", "status"), PRINTED.values(), ids=PRINTED)
def test_what_a_process_prints_is_told_by_nobody_when_it(
    fake_kms: FakeKms, process: CredentialProcess, caplog: pytest.LogCaptureFixture, stdout: str, status: int
) -> None:
    """Botocore logs a failed renewal with its traceback, which has what the process wrote to stderr, but not more."""
    process.give(fake_kms.add_identity(session_token="token"), lifetime=800)
    with caplog.at_level(logging.INFO), opened() as signer:
        process.print(stdout, stderr="the vault is sealed", status=status)
        signer.sign(b"message")  # begins to renew
        landed()
        fake_kms.inject(faults.error("ExpiredTokenException"))
        with pytest.raises(AccessDeniedError, match="could not be renewed") as caught:
            signer.sign(b"message")
    with pytest.raises(AccessDeniedError, match="could not be found") as at_opening:
        opened(max_connections=1)  # another account
    assert ("the vault is sealed" in caplog.text) is (status != 0)
    for text in (caplog.text, told(caught.value), told(at_opening.value)):
        assert SECRET not in text
    assert "the vault is sealed" not in told(caught.value)
