"""Opening a key: its names, what it must be, and where KMS is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from signer_aws_kms import AwsKmsConfig
from signer_aws_kms.session import find_place, session_of
from signer_aws_kms.testing import FakeKey, FakeKms, faults
from signer_core import create_signer
from signer_core.errors import (
    BackendUnavailableError,
    ConfigError,
    KeyMismatchError,
    KeyNotFoundError,
    KeyUnavailableError,
    SignerError,
    UnsupportedAlgorithmError,
)
from tests.plugins.aws_kms.signers import ALIAS, opened, options

FORMS: dict[str, Callable[[FakeKey], str]] = {
    "key id": lambda key: key.id,
    "key ARN": lambda key: key.arn,
    "alias name": lambda _: ALIAS,
    "alias ARN": lambda key: key.arn.partition("key/")[0] + ALIAS,
}


@pytest.mark.parametrize("multi_region", [False, True], ids=["", "mrk"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_name_opens_the_key_under_its_arn(
    fake_kms: FakeKms, form: Callable[[FakeKey], str], multi_region: bool
) -> None:
    key = fake_kms.create_key(alias=ALIAS, multi_region=multi_region)
    assert key.id.startswith("mrk-") == multi_region
    with opened(key_id=form(key)) as signer:
        assert (signer.key_id, signer.public_key) == (key.arn, key.public_key)
        signer.sign(b"message")
    assert fake_kms.received[-1].parameters["KeyId"] == key.arn


def test_opening_asks_once(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        assert signer.address
    assert fake_kms.requests == {"GetPublicKey": 1}


def test_opening_is_tried_again(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.throttle(), operation="GetPublicKey", times=2)
    with create_signer(options()) as signer:
        assert signer.key_id


def test_a_missing_alias_is_key_not_found(fake_kms: FakeKms) -> None:
    with pytest.raises(KeyNotFoundError, match=r"GetPublicKey of alias/sequencer in us-east-1.*signer init"):
        opened()


def test_a_key_for_encryption_is_refused(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS, spec="RSA_2048", usage="ENCRYPT_DECRYPT")
    with pytest.raises(KeyUnavailableError, match=r"ENCRYPT_DECRYPT, not for signing.*SIGN_VERIFY"):
        opened()


def test_a_key_that_does_not_sign_plain_ed25519_is_refused(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.with_members(SigningAlgorithms=["ED25519_PH_SHA_512"]), operation="GetPublicKey")
    with pytest.raises(UnsupportedAlgorithmError, match="ED25519_SHA_512"):
        opened()


def test_another_key_than_the_one_that_an_arn_names_is_refused(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key()
    fake_kms.inject(faults.other_key_id(), operation="GetPublicKey", times=None)
    for name in (key.arn, key.id):
        with pytest.raises(KeyMismatchError, match="another key"):
            opened(key_id=name)


def test_a_key_of_another_account_than_the_one_that_an_alias_arn_names_is_refused(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.other_key_id(key.arn.replace("111122223333", "999999999999")), operation="GetPublicKey")
    with pytest.raises(KeyMismatchError, match="another key"):
        opened(key_id=key.arn.partition("key/")[0] + ALIAS)


@pytest.mark.parametrize(
    "fault",
    [
        faults.with_members(KeyId="arn:aws:kms:us-east-1:111122223333:key/with a\nnew line"),
        faults.with_members(KeyId="arn:aws:s3:::bucket:key/7"),
        faults.with_members(KeyId="0f0e0d0c-0b0a-4988-8776-655443322110"),
        faults.without("KeyId"),
        faults.without("PublicKey"),
        faults.with_members(PublicKey="AAAA"),
        faults.with_members(PublicKey=7),
    ],
    ids=["no ARN of a key", "another service's ARN", "bare id", "no id", "no key", "wrong key", "number"],
)
def test_an_answer_that_is_not_whole_is_tried_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(fault, operation="GetPublicKey")
    with create_signer(options()):
        assert fake_kms.requests["GetPublicKey"] == 2
    fake_kms.inject(fault, operation="GetPublicKey")
    with pytest.raises(BackendUnavailableError):
        opened()


def test_the_region_is_the_one_of_the_arn_where_none_is_configured(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake_kms.create_key()
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with opened(key_id=key.arn) as signer:
        signer.sign(b"message")


def test_no_region_is_a_config_error(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigError, match=r"no AWS region.*AWS_DEFAULT_REGION"):
        opened()


def test_a_key_in_another_region_is_an_error_that_says_so(fake_kms: FakeKms) -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/0f0e0d0c-0b0a-4988-8776-655443322110"
    with pytest.raises(SignerError, match="the key is in eu-west-1: set region to that"):
        opened(key_id=arn)


def test_an_impossible_region_is_a_config_error(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match="not a//region"):
        opened(region="not a//region")


def test_a_missing_profile_is_a_config_error(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match=r"nobody.*list-profiles"):
        opened(profile="nobody")


def test_credentials_and_region_come_from_a_profile(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_kms.create_key(alias=ALIAS)
    identity = fake_kms.add_identity("of the profile")
    file = tmp_path / "config"
    file.write_text(
        f"[profile signing]\nregion = {fake_kms.region}\naws_access_key_id = {identity.access_key_id}\n"
        f"aws_secret_access_key = {identity.secret_access_key}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with opened(profile="signing") as signer:
        signer.sign(b"message")
    assert identity.access_key_id in fake_kms.received[-1].headers["authorization"]


ENDPOINTS = {
    "plain": ({}, "", "https://kms.eu-west-1.amazonaws.com"),
    "FIPS": ({"AWS_USE_FIPS_ENDPOINT": "true"}, "", "https://kms-fips.eu-west-1.amazonaws.com"),
    "dual stack": ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "", "https://kms.eu-west-1.api.aws"),
    "all services": ({"AWS_ENDPOINT_URL": "https://all"}, "", "https://all"),
    "KMS before all": ({"AWS_ENDPOINT_URL": "https://all", "AWS_ENDPOINT_URL_KMS": "https://kms"}, "", "https://kms"),
    "ignored": (
        {"AWS_ENDPOINT_URL": "https://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        "",
        "https://kms.eu-west-1.amazonaws.com",
    ),
    "profile": ({}, "[default]\nendpoint_url = https://profile\n", "https://profile"),
    "services": (
        {},
        "[default]\nservices = mine\nendpoint_url = https://profile\n[services mine]\nkms =\n  endpoint_url = https://mine\n",
        "https://mine",
    ),
}


@pytest.mark.parametrize(("environment", "file", "endpoint"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_the_endpoint_is_found_as_boto3_finds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], file: str, endpoint: str
) -> None:
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "config"
    path.write_text(file)
    for name, value in {**environment, "AWS_CONFIG_FILE": str(path)}.items():
        monkeypatch.setenv(name, value)
    config = AwsKmsConfig(key_id="alias/x", region="eu-west-1")
    client = boto3.Session().client("kms", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    assert find_place(session_of(config), config).endpoint == endpoint == client.meta.endpoint_url


@pytest.mark.parametrize("url", ["http://kms.example.com", "http://localhost.example.com", "http://127.example.com"])
def test_plain_http_to_another_machine_is_refused(fake_kms: FakeKms, url: str) -> None:
    with pytest.raises(ConfigError, match=r"not encrypted.*allow_http"):
        opened(endpoint_url=url)


def test_plain_http_from_the_environment_is_refused_too(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://kms.example.com")
    with pytest.raises(ConfigError, match="not encrypted"):
        opened()


def test_plain_http_is_used_where_it_is_allowed() -> None:
    config = AwsKmsConfig(key_id="alias/x", region="eu-west-1", endpoint_url="http://kms.example.com", allow_http=True)
    assert find_place(session_of(config), config).route.host == "kms.example.com"


@pytest.mark.parametrize("url", ["kms.eu-west-1.amazonaws.com", "ftp://kms", "https://", "https://user@kms", ""])
def test_an_endpoint_that_is_no_url_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="endpoint_url"):
        create_signer(options(endpoint_url=url))


@pytest.mark.parametrize("key_id", ["alias/sequencer\n", " alias/sequencer", "alias/\ud800"])
def test_a_name_with_what_cannot_be_seen_is_a_config_error(fake_kms: FakeKms, key_id: str) -> None:
    with pytest.raises(ConfigError, match=r"option 'key_id'.*without spaces, line ends"):
        opened(key_id=key_id)
    assert fake_kms.requests.total() == 0


def test_max_connections_is_at_least_1() -> None:
    with pytest.raises(ConfigError, match=r"max_connections.*1 or more"):
        create_signer(options(max_connections=0))
