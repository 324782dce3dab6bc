"""A real peer: keys in ministack, which checks signatures and IAM policies, used by boto3 and by the backend."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer_aws_kms.testing.identities import ADMINISTRATOR
from signer_core import create_signer, init_signer
from signer_core.errors import (
    AccessDeniedError,
    KeyNotFoundError,
    KeyUnavailableError,
    MessageTooLargeError,
    UnsupportedAlgorithmError,
)
from tests.plugins.aws_kms.clients import ED25519
from tests.plugins.aws_kms.ministack import REGION, ROOT, Ministack

pytestmark = pytest.mark.slow  # starts a server of its own


@pytest.fixture(scope="module")
def root(ministack: Ministack) -> Iterator[Any]:
    """root's own client."""
    with contextlib.closing(ministack.client("kms")) as client:
        yield client


@pytest.fixture
def arn(root: Any) -> str:
    """The ARN of a new key."""
    made = root.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    arn: str = made["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def alias(root: Any, arn: str) -> str:
    """An alias of that key."""
    alias = f"alias/{uuid.uuid4()}"
    root.create_alias(AliasName=alias, TargetKeyId=arn)
    return alias


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Lets the environment hold a user's credentials."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def put(credentials: dict[str, str]) -> None:
        for name, value in credentials.items():
            monkeypatch.setenv(name.upper(), value)

    return put


@pytest.fixture
def config(ministack: Ministack, as_user: Callable[[dict[str, str]], None], alias: str) -> dict[str, Any]:
    """The configuration that opens the key by its alias, as root."""
    as_user(ROOT)
    return {
        "backend": "awskms",
        "key_id": alias,
        "region": REGION,
        "endpoint_url": ministack.endpoint_url,
        "max_retries": 0,
    }


def allowing(actions: list[str], resource: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}],
    }


def test_boto3_signs(root: Any, arn: str, alias: str) -> None:
    answer = root.sign(KeyId=alias, Message=b"message", MessageType="RAW", **ED25519)
    assert answer["KeyId"] == arn
    public_key: Any = load_der_public_key(root.get_public_key(KeyId=arn)["PublicKey"])
    public_key.verify(answer["Signature"], b"message")


def test_boto3_is_denied_what_no_policy_allows(ministack: Ministack, arn: str) -> None:
    user = ministack.user(f"user-{uuid.uuid4()}", allowing(["kms:GetPublicKey"], arn))
    with contextlib.closing(ministack.client("kms", **user)) as client:
        client.get_public_key(KeyId=arn)
        with pytest.raises(ClientError, match="AccessDeniedException"):
            client.sign(KeyId=arn, Message=b"message", **ED25519)


@pytest.mark.parametrize(
    "name",
    [
        lambda arn, _: arn,
        lambda arn, _: arn.rpartition("/")[2],
        lambda _, alias: alias,
        lambda arn, alias: arn.rpartition("key/")[0] + alias,
    ],
    ids=["arn", "id", "alias", "alias arn"],
)
def test_a_signer_of_any_name_signs(
    config: dict[str, Any], arn: str, alias: str, name: Callable[[str, str], str]
) -> None:
    with create_signer({**config, "key_id": name(arn, alias)}) as signer:
        assert signer.key_id == arn
        signer.public_key.verify(signer.sign(b"message"), b"message")
        signer.public_key.verify(signer.sign(b""), b"")
        with pytest.raises(MessageTooLargeError):
            signer.sign(b"m" * 4097)


#: What ministack has of the kinds of keys, and what is signed with them; RSA keys of 2048 bits, which are made soonest.
ALGORITHMS = [
    *("ecdsa-p256-sha256", "ecdsa-p384-sha384", "ecdsa-p521-sha512", "ecdsa-secp256k1-sha256"),
    *(f"rsa-{scheme}-sha{size}" for scheme in ("pss", "pkcs1v15") for size in (256, 384, 512)),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_for_each_algorithm_is_made_and_signs(config: dict[str, Any], algorithm: str) -> None:
    message = bytes(100_000)
    new = {**config, "key_id": f"alias/{uuid.uuid4()}", "algorithm": algorithm, "rsa_bits": 2048}
    with init_signer(new) as made, create_signer(new) as signer:
        assert (signer.key_id, signer.algorithm) == (made.key_id, algorithm)
        signer.public_key.verify(signer.sign(message), message)
        hasher = signer.hasher()
        hasher.update(message)
        signer.public_key.verify(signer.sign_digest(hasher.digest()), message)


def test_a_key_of_another_kind_than_configured_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="ECC_NIST_EDWARDS25519 does not serve rsa-pss-sha256"):
        create_signer({**config, "algorithm": "rsa-pss-sha256"})


def test_an_alias_that_moves_is_followed(config: dict[str, Any], root: Any, arn: str, alias: str) -> None:
    with create_signer({**config, "cache_ttl": "10ms"}) as signer:
        first = signer.public_key
        other = root.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        root.update_alias(AliasName=alias, TargetKeyId=other)
        for _ in range(1000):  # until the key was renewed
            signature = signer.sign(b"message")
            if signer.key_id == other:
                break
        assert (signer.key_id, signer.public_key == first) == (other, False)
        assert len(signature) == 64


def test_init_makes_the_key_of_an_alias_once(config: dict[str, Any]) -> None:
    new = {**config, "key_id": f"alias/{uuid.uuid4()}", "description": "made by a test", "tags": {"team": "rollup"}}
    with init_signer(new) as made, init_signer(new) as again, create_signer(new) as opened:
        assert made.key_id == again.key_id == opened.key_id
        opened.public_key.verify(made.sign(b"message"), b"message")


def test_the_policy_of_the_documentation_suffices(
    config: dict[str, Any], ministack: Ministack, arn: str, as_user: Callable[[dict[str, str]], None]
) -> None:
    policy = allowing(["kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"], arn)
    as_user(ministack.user(f"user-{uuid.uuid4()}", policy))
    with create_signer({**config, "key_id": arn}) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")


def test_a_missing_permission_is_named(
    config: dict[str, Any], ministack: Ministack, arn: str, as_user: Callable[[dict[str, str]], None]
) -> None:
    as_user(ministack.user(f"user-{uuid.uuid4()}", allowing(["kms:GetPublicKey"], arn)))
    with create_signer({**config, "key_id": arn}) as signer, pytest.raises(AccessDeniedError, match="kms:Sign"):
        signer.sign(b"message")


def test_a_wrong_secret_is_refused(
    config: dict[str, Any], ministack: Ministack, as_user: Callable[[dict[str, str]], None]
) -> None:
    user = ministack.user(f"user-{uuid.uuid4()}", dict(ADMINISTRATOR))
    as_user({**user, "aws_secret_access_key": "wrong"})
    with pytest.raises(AccessDeniedError, match="InvalidSignatureException"):
        create_signer(config)


def test_an_unknown_access_key_is_refused(config: dict[str, Any], as_user: Callable[[dict[str, str]], None]) -> None:
    as_user({"aws_access_key_id": "AKIAUNKNOWNUNKNOWNUN", "aws_secret_access_key": "secret"})
    with pytest.raises(AccessDeniedError, match="UnrecognizedClientException"):
        create_signer(config)


def test_a_disabled_key_does_not_sign(config: dict[str, Any], root: Any, arn: str) -> None:
    with create_signer(config) as signer:
        root.disable_key(KeyId=arn)
        with pytest.raises(KeyUnavailableError, match="DisabledException"):
            signer.sign(b"message")
        root.enable_key(KeyId=arn)
        signer.public_key.verify(signer.sign(b"message"), b"message")


def test_a_key_that_will_be_deleted_does_not_sign(config: dict[str, Any], root: Any, arn: str) -> None:
    with create_signer(config) as signer:
        root.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
        with pytest.raises(KeyUnavailableError, match="pending deletion"):
            signer.sign(b"message")


def test_a_name_of_no_key_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(KeyNotFoundError):
        create_signer({**config, "key_id": "alias/missing"})
