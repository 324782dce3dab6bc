"""``AwsKmsKey.open``: a key that is opened in code, without a configuration."""

import math
from typing import Any

import boto3
import pytest

from signer_aws_kms import AwsKmsKey
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer
from signer_core.errors import BackendUnavailableError, ConfigError, DeadlineExceededError
from tests.plugins.aws_kms.signers import ALIAS


def session_of(kms: FakeKms, **more: Any) -> boto3.Session:
    return boto3.Session(kms.identity.access_key_id, kms.identity.secret_access_key, region_name=kms.region, **more)


def test_a_session_of_the_users_own_signs(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    identity = fake_kms.add_identity("assumed", session_token="a token of the session")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    session = boto3.Session(
        identity.access_key_id, identity.secret_access_key, identity.session_token, region_name=fake_kms.region
    )
    key = AwsKmsKey.open(ALIAS, session=session)
    with Signer(key, timeout=10, attempt_timeout=3, max_retries=3) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
    assert identity.access_key_id in fake_kms.received[-1].headers["authorization"]


def test_without_a_session_the_environment_is_asked(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with Signer(AwsKmsKey.open(ALIAS, cache_ttl="10m", tags={})) as signer:
        signer.sign(b"message")


def test_the_region_may_be_another_one_than_the_sessions(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    session = boto3.Session(
        fake_kms.identity.access_key_id, fake_kms.identity.secret_access_key, region_name="eu-west-1"
    )
    with Signer(AwsKmsKey.open(ALIAS, session=session, region=fake_kms.region)) as signer:
        assert signer.key_id == key.arn


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a region that is no text": ({"region": 7}, "option 'region'.*write a text"),
    "a key id that is no text": ({"key_id": 7}, "option 'key_id'.*write a text"),
    "an empty key id": ({"key_id": ""}, "option 'key_id'.*empty"),
    "a text for a number": ({"max_connections": "many"}, "option 'max_connections'.*whole number"),
    "no connections": ({"max_connections": 0}, "option 'max_connections'.*1 or more"),
    "one grant token": ({"grant_tokens": "token"}, "option 'grant_tokens'.*list of texts"),
    "a list of tags": ({"tags": ["team"]}, "option 'tags'.*table of texts"),
    "no duration": ({"cache_ttl": "soon"}, "option 'cache_ttl'"),
    "no URL": ({"endpoint_url": "kms"}, "endpoint_url is not right"),
    "a text for a truth": ({"allow_http": "yes"}, "option 'allow_http'.*true or false"),
    "a misspelt option": ({"regoin": "us-east-1"}, "no option 'regoin'.*did you mean 'region'"),
    "an option of the signer's": ({"verify": False}, "no option 'verify'.*the Signer"),
    "retries": ({"max_retries": 1}, "no option 'max_retries'.*the Signer"),
    "no time": ({"timeout": 0}, "option 'timeout'.*longer than 0"),
    "a timeout that is none": ({"timeout": "soon"}, "option 'timeout'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_a_config_error(fake_kms: FakeKms, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AwsKmsKey.open(**{"key_id": ALIAS, **options})
    assert not fake_kms.requests


def test_a_profile_beside_a_session_is_a_config_error_that_names_both(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match="both session and profile"):
        AwsKmsKey.open(ALIAS, session=session_of(fake_kms), profile="signing")
    assert not fake_kms.requests


@pytest.mark.parametrize("session", ["a profile", object()], ids=["text", "object"])
def test_what_is_no_session_is_a_type_error(fake_kms: FakeKms, session: Any) -> None:
    with pytest.raises(TypeError, match=r"session must be a boto3\.Session, not"):
        AwsKmsKey.open(ALIAS, session=session)


@pytest.mark.parametrize("timeout", [None, math.inf, 5, "5s"])
def test_opening_is_tried_again_within_its_timeout(fake_kms: FakeKms, timeout: Any) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.throttle(), operation="GetPublicKey", times=2)
    AwsKmsKey.open(ALIAS, timeout=timeout).close()
    assert fake_kms.requests["GetPublicKey"] == 3


def test_opening_is_given_up_after_the_backends_number_of_attempts(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.throttle(), operation="GetPublicKey", times=None)
    with pytest.raises(BackendUnavailableError, match="gave up after 4 attempts"):
        AwsKmsKey.open(ALIAS)


def test_opening_ends_in_time(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.hang(), operation="GetPublicKey", times=None)
    with pytest.raises(DeadlineExceededError):
        AwsKmsKey.open(ALIAS, timeout=0.1)
