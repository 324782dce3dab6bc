"""How keys and aliases are made and changed in the fake KMS, and when others see it."""

from typing import Any

import pytest

from signer_aws_kms.testing import FakeKms
from signer_aws_kms.testing.keys import Eventual
from tests.plugins.aws_kms.clients import ED25519, boto3_client, code, refusal

ED25519_KEY = {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"}
ALIAS = "alias/sequencer"


def test_a_made_key_signs(client: Any, fake_kms: FakeKms) -> None:
    tags = [{"TagKey": "team", "TagValue": "rollup"}]
    made = client.create_key(**ED25519_KEY, Description="sequencer", Tags=tags)["KeyMetadata"]
    assert (made["KeyState"], made["Enabled"], made["Description"]) == ("Enabled", True, "sequencer")
    assert client.list_resource_tags(KeyId=made["KeyId"])["Tags"] == tags
    signature = client.sign(KeyId=made["Arn"], Message=b"message", **ED25519)["Signature"]
    fake_kms.key(made["KeyId"]).public_key.verify(signature, b"message")


def test_a_key_for_signing_must_be_asked_for(client: Any) -> None:
    assert code(client.create_key, KeySpec="ECC_NIST_EDWARDS25519") == "ValidationException"
    assert code(client.create_key, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="ENCRYPT_DECRYPT") == "ValidationException"
    assert client.create_key()["KeyMetadata"]["KeySpec"] == "SYMMETRIC_DEFAULT"


def test_a_multi_region_key_has_an_id_of_its_own_kind(client: Any, fake_kms: FakeKms) -> None:
    made = client.create_key(**ED25519_KEY, MultiRegion=True)["KeyMetadata"]
    assert (made["KeyId"][:4], made["MultiRegion"]) == ("mrk-", True)
    assert made["MultiRegionConfiguration"]["PrimaryKey"] == {"Arn": made["Arn"], "Region": fake_kms.region}
    assert client.describe_key(KeyId=made["KeyId"])["KeyMetadata"] == made
    assert client.sign(KeyId=made["KeyId"], Message=b"message", **ED25519)["KeyId"] == made["Arn"]


def test_an_alias_is_made_once(client: Any, fake_kms: FakeKms) -> None:
    first, second = fake_kms.create_key(), fake_kms.create_key()
    client.create_alias(AliasName=ALIAS, TargetKeyId=first.id)
    assert refusal(client.create_alias, AliasName=ALIAS, TargetKeyId=second.id) == (
        "AlreadyExistsException",
        "An alias with the name arn:aws:kms:us-east-1:111122223333:alias/sequencer already exists",
    )
    assert fake_kms.key(ALIAS) is first


def test_an_alias_moves(client: Any, fake_kms: FakeKms) -> None:
    first, second = fake_kms.create_key(alias=ALIAS), fake_kms.create_key()
    client.update_alias(AliasName=ALIAS, TargetKeyId=second.arn)
    assert client.get_public_key(KeyId=ALIAS)["KeyId"] == second.arn
    assert client.list_aliases(KeyId=first.id)["Aliases"] == []
    assert [each["AliasName"] for each in client.list_aliases()["Aliases"]] == [ALIAS]


def test_an_alias_moves_to_keys_of_the_same_usage_only(client: Any, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    other = fake_kms.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")
    assert code(client.update_alias, AliasName=ALIAS, TargetKeyId=other.id) == "ValidationException"


def test_a_deleted_alias_is_gone(client: Any, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    client.delete_alias(AliasName=ALIAS)
    assert code(client.get_public_key, KeyId=ALIAS) == "NotFoundException"
    assert code(client.delete_alias, AliasName=ALIAS) == "NotFoundException"
    assert code(client.update_alias, AliasName=ALIAS, TargetKeyId=fake_kms.create_key().id) == "NotFoundException"
    with pytest.raises(LookupError):
        fake_kms.key(ALIAS)


@pytest.mark.parametrize(
    ("name", "error"),
    [("sequencer", "ValidationException"), ("alias/aws/kms", "InvalidAliasNameException")],
)
def test_an_alias_has_a_prefix_that_is_not_amazons(client: Any, fake_kms: FakeKms, name: str, error: str) -> None:
    assert code(client.create_alias, AliasName=name, TargetKeyId=fake_kms.create_key().id) == error


def test_an_alias_means_a_key(client: Any, fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    assert code(client.create_alias, AliasName="alias/other", TargetKeyId=ALIAS) == "ValidationException"


def test_a_key_is_disabled_enabled_and_deleted(client: Any, fake_kms: FakeKms) -> None:
    key = fake_kms.create_key()
    client.disable_key(KeyId=key.id)
    assert code(client.sign, KeyId=key.id, Message=b"message", **ED25519) == "DisabledException"
    client.enable_key(KeyId=key.id)
    client.sign(KeyId=key.id, Message=b"message", **ED25519)
    client.tag_resource(KeyId=key.id, Tags=[{"TagKey": "a", "TagValue": "b"}])
    assert key.tags == {"a": "b"}
    assert code(client.schedule_key_deletion, KeyId=key.id, PendingWindowInDays=6) == "ValidationException"
    assert client.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)["KeyState"] == "PendingDeletion"
    assert code(client.enable_key, KeyId=key.id) == "KMSInvalidStateException"
    assert code(client.create_alias, AliasName=ALIAS, TargetKeyId=key.id) == "KMSInvalidStateException"


def test_a_new_key_and_a_new_alias_are_not_seen_at_once() -> None:
    with FakeKms(unseen=2) as kms, boto3_client(kms) as client:
        key_id = client.create_key(**ED25519_KEY)["KeyMetadata"]["KeyId"]
        for _ in range(2):
            assert code(client.describe_key, KeyId=key_id) == "NotFoundException"
        client.describe_key(KeyId=key_id)
        client.create_alias(AliasName=ALIAS, TargetKeyId=key_id)
        for _ in range(2):
            assert code(client.get_public_key, KeyId=ALIAS) == "NotFoundException"
        assert code(client.create_alias, AliasName=ALIAS, TargetKeyId=key_id) == "AlreadyExistsException"
        assert client.get_public_key(KeyId=ALIAS)["KeyId"].endswith(key_id)


def test_an_alias_that_moved_and_a_disabled_key_are_not_seen_at_once() -> None:
    with FakeKms(unseen=1) as kms, boto3_client(kms) as client:
        first, second = kms.create_key(alias=ALIAS), kms.create_key()
        client.update_alias(AliasName=ALIAS, TargetKeyId=second.id)
        assert [client.get_public_key(KeyId=ALIAS)["KeyId"] for _ in range(2)] == [first.arn, second.arn]
        client.disable_key(KeyId=first.id)
        client.get_public_key(KeyId=first.id)
        assert code(client.get_public_key, KeyId=first.id) == "DisabledException"


def test_changes_are_seen_in_their_order() -> None:
    value = Eventual("a")
    value.set("b", unseen=1)
    value.set("c", unseen=1)
    assert value.latest == "c"
    assert [value.read() for _ in range(4)] == ["a", "b", "c", "c"]


def test_tags_of_amazons_own_are_refused(client: Any, fake_kms: FakeKms) -> None:
    tags = [{"TagKey": "aws:team", "TagValue": "rollup"}]
    assert code(client.tag_resource, KeyId=fake_kms.create_key().id, Tags=tags) == "TagException"


def test_the_package_has_no_more_than_it_says() -> None:
    import signer_aws_kms.testing as package

    assert set(package.__all__) <= set(dir(package)) | {"fake_kms"}
    with pytest.raises(AttributeError):
        package.missing  # type: ignore[attr-defined]
