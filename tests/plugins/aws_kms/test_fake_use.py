"""The fake KMS in the hands of somebody who sees it for the first time: fixture, command, and mistakes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from signer_aws_kms.testing import FakeKms, faults
from tests.plugins.aws_kms.clients import boto3_client
from tests.plugins.aws_kms.signers import ALIAS, opened

COMMAND = [sys.executable, "-m", "signer_aws_kms.testing"]


def test_the_environment_says_nothing_of_aws_but_the_way_to_the_fixture(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_USE_FIPS_ENDPOINT", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, "of another account")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    kms: FakeKms = request.getfixturevalue("fake_kms")
    kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"message")
    assert {name for name in os.environ if name.startswith("AWS_")} <= set(kms.environment())


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_proxies_are_bypassed_whichever_variable_is_in_use(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, name: str
) -> None:
    for each in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "internal.example")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    kms: FakeKms = request.getfixturevalue("fake_kms")
    kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"message")
    assert os.environ[name] == "internal.example,127.0.0.1"


def test_the_command_ends_quietly_by_an_interrupt() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as kms:
        assert kms.stdout is not None
        for _ in iter(kms.stdout.readline, b"\n"):
            pass
        kms.send_signal(signal.SIGINT)
        _, errors = kms.communicate(timeout=30)
    assert (kms.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--alias", "sequencer"], "alias/sequencer"), (["--port", "99999"], "0-65535"), (["--port", "x"], "invalid int")],
)
def test_the_command_tells_what_is_wrong_with_its_arguments(arguments: list[str], message: str) -> None:
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_mistakes_are_told_at_once(fake_kms: FakeKms) -> None:
    with pytest.raises(ValueError, match=r"no ECC_P256 keys for SIGN_VERIFY; it has.*ECC_NIST_P256 for SIGN_VERIFY"):
        fake_kms.create_key(spec="ECC_P256")
    with pytest.raises(ValueError, match="no ECC_NIST_EDWARDS25519 keys for ENCRYPT_DECRYPT"):
        fake_kms.create_key(usage="ENCRYPT_DECRYPT")
    with pytest.raises(ValueError, match="an alias begins with alias/, as in alias/sequencer"):
        fake_kms.create_key(alias="sequencer")
    with pytest.raises(ValueError, match=r"no operation 'sign'; it has.* Sign,"):
        fake_kms.inject(faults.throttle(), operation="sign")
    with pytest.raises(ValueError, match="times"):
        fake_kms.inject(faults.throttle(), times=0)
    with pytest.raises(ValueError, match="every"):
        fake_kms.inject(faults.throttle(), every=0)
    with pytest.raises(ValueError, match="skip"):
        fake_kms.inject(faults.throttle(), skip=-1)
    with pytest.raises(RuntimeError, match="started already"):
        fake_kms.start()


def test_retry_after_may_be_a_date(fake_kms: FakeKms) -> None:
    date = "Fri, 07 Aug 2026 12:00:30 GMT"
    fake_kms.inject(faults.throttle(retry_after=date))
    with boto3_client(fake_kms) as client, pytest.raises(client.exceptions.ClientError) as caught:
        client.list_aliases()
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == date


def test_the_fixture_of_the_readme_serves_a_test_of_its_own(tmp_path: Path) -> None:
    """As the README has it, but with the fixture in a conftest.py."""
    (tmp_path / "conftest.py").write_text("from signer_aws_kms.testing import fake_kms\n__all__ = ['fake_kms']\n")
    (tmp_path / "test_mine.py").write_text(
        "def test_it(fake_kms):\n    assert fake_kms.create_key(alias='alias/x').arn.startswith('arn:aws:kms:')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert "1 passed" in ended.stdout
