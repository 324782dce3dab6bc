"""The operations that make, name and change keys."""

from typing import Any

from signer_aws_kms.testing.answers import AwsError, invalid
from signer_aws_kms.testing.key_specs import KEY_SPECS
from signer_aws_kms.testing.keys import DAY, DISABLED, ENABLED, PENDING_DELETION, FakeKey
from signer_aws_kms.testing.operations import Call, Content, not_pending_deletion


def metadata(key: FakeKey, account: str) -> Content:
    """What DescribeKey and CreateKey say of a key."""
    state = key.state.read()
    content: Content = {
        "AWSAccountId": account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": round(key.created, 3),
        "Enabled": state == ENABLED,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": key.id.startswith("mrk-"),
    }
    if content["MultiRegion"]:
        primary = {"Arn": key.arn, "Region": key.arn.split(":")[3]}
        content["MultiRegionConfiguration"] = {
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": primary,
            "ReplicaKeys": [],
        }
    if key.usage == "SIGN_VERIFY":
        content["SigningAlgorithms"] = list(key.signing_algorithms)
    else:
        symmetric = key.spec == "SYMMETRIC_DEFAULT"
        content["EncryptionAlgorithms"] = (
            ["SYMMETRIC_DEFAULT"] if symmetric else ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
        )
    if state == PENDING_DELETION and key.deleted_at is not None:
        content["DeletionDate"] = round(key.deleted_at, 3)
    return content


def describe_key(call: Call) -> Content:
    """DescribeKey."""
    with call.account.lock:
        return {"KeyMetadata": metadata(call.key(), call.account.id)}


def create_key(call: Call) -> Content:
    """CreateKey."""
    call.permit("*")
    spec = call.choice("KeySpec", tuple(KEY_SPECS), "SYMMETRIC_DEFAULT")
    if "KeyUsage" not in call.parameters and spec != "SYMMETRIC_DEFAULT":
        raise AwsError(
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        )
    usage = call.choice(
        "KeyUsage", ("SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"), "ENCRYPT_DECRYPT"
    )
    if usage not in KEY_SPECS[spec].usages:
        raise AwsError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    key = call.account.add_key(
        spec=spec,
        usage=usage,
        description=call.parameters.get("Description", ""),
        tags=_tags(call),
        multi_region=bool(call.parameters.get("MultiRegion")),
        unseen=call.account.unseen,
    )
    return {"KeyMetadata": metadata(key, call.account.id)}


def create_alias(call: Call) -> None:
    """CreateAlias."""
    name = _alias_name(call)
    with call.account.lock:
        key = _target(call)
        if name in call.account.aliases:
            raise AwsError("AlreadyExistsException", f"An alias with the name {call.account.arn(name)} already exists")
        call.account.set_alias(name, key, unseen=call.account.unseen)


def update_alias(call: Call) -> None:
    """UpdateAlias."""
    name = _alias_name(call)
    with call.account.lock:
        key = _target(call)
        if name not in call.account.aliases:
            raise AwsError("NotFoundException", f"Alias {call.account.arn(name)} is not found.")
        old = call.account.aliases[name].target.latest
        if old is not None and old.usage != key.usage:
            raise AwsError("ValidationException", "The current and new KMS keys must have the same key usage.")
        call.account.set_alias(name, key, unseen=call.account.unseen)


def delete_alias(call: Call) -> None:
    """DeleteAlias."""
    name = _alias_name(call)
    with call.account.lock:
        if call.account.aliases.pop(name, None) is None:
            raise AwsError("NotFoundException", f"Alias {call.account.arn(name)} is not found.")


def list_aliases(call: Call) -> Content:
    """ListAliases, in one page."""
    call.permit("*")
    with call.account.lock:
        only = call.account.find(call.text("KeyId")) if "KeyId" in call.parameters else None
        targets = [(alias, alias.target.read()) for alias in call.account.aliases.values()]
    entries: list[dict[str, Any]] = [
        {
            "AliasName": alias.name,
            "AliasArn": alias.arn,
            "TargetKeyId": key.id,
            "CreationDate": round(alias.created, 3),
            "LastUpdatedDate": round(alias.updated, 3),
        }
        for alias, key in targets
        if key is not None and only in (None, key)
    ]
    return {"Aliases": entries, "Truncated": False}


def enable_key(call: Call) -> None:
    """EnableKey."""
    with call.account.lock:
        not_pending_deletion(call.key()).state.set(ENABLED, unseen=call.account.unseen)


def disable_key(call: Call) -> None:
    """DisableKey."""
    with call.account.lock:
        not_pending_deletion(call.key()).state.set(DISABLED, unseen=call.account.unseen)


def schedule_key_deletion(call: Call) -> Content:
    """ScheduleKeyDeletion."""
    days = call.parameters.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        limit = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
        raise invalid("pendingWindowInDays", f"have value {limit}", value=str(days))
    with call.account.lock:
        key = not_pending_deletion(call.key())
        key.deleted_at = call.account.clock() + days * DAY
        key.state.set(PENDING_DELETION)
    return {
        "KeyId": key.arn,
        "DeletionDate": round(key.deleted_at, 3),
        "KeyState": PENDING_DELETION,
        "PendingWindowInDays": days,
    }


def tag_resource(call: Call) -> None:
    """TagResource."""
    with call.account.lock:
        not_pending_deletion(call.key()).tags.update(_tags(call))


def list_resource_tags(call: Call) -> Content:
    """ListResourceTags, in one page."""
    with call.account.lock:
        tags = call.key().tags.items()
    return {"Tags": [{"TagKey": key, "TagValue": value} for key, value in tags], "Truncated": False}


def _tags(call: Call) -> dict[str, str]:
    tags = call.parameters.get("Tags", [])
    if call.operation == "CreateKey" and tags:
        call.caller.authorize(call.account.id, "kms:TagResource", "*", {})
    if any(tag["TagKey"].startswith("aws:") for tag in tags):
        raise AwsError("TagException", "aws: prefixed tag key names are not allowed for external use.")
    return {tag["TagKey"]: tag["TagValue"] for tag in tags}


def _alias_name(call: Call) -> str:
    name = call.text("AliasName")
    if not name.startswith("alias/"):
        raise AwsError("ValidationException", 'Alias must start with the prefix "alias/".')
    if name.startswith("alias/aws/") or name == "alias/":
        raise AwsError("InvalidAliasNameException", f"{name} is not a valid alias name")
    call.permit(call.account.arn(name))
    return name


def _target(call: Call) -> FakeKey:
    if call.text("TargetKeyId").rpartition(":")[2].startswith("alias/"):
        raise AwsError("ValidationException", "Aliases must refer to keys. Not aliases")
    return not_pending_deletion(call.key("TargetKeyId"))
