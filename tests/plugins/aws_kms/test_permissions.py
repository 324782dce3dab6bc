"""A missing permission: the error has the statement that gives it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from signer_aws_kms.testing import FakeKey, FakeKms, faults
from signer_core import init_signer
from signer_core.errors import AccessDeniedError, SignerError
from tests.plugins.aws_kms.clients import boto3_client
from tests.plugins.aws_kms.signers import ALIAS, check, opened, options

FORMS: dict[str, Callable[[FakeKey], str]] = {
    "key id": lambda key: key.id,
    "key ARN": lambda key: key.arn,
    "alias name": lambda _: ALIAS,
    "alias ARN": lambda key: key.arn.partition("key/")[0] + ALIAS,
}
ALIAS_ARN = f"arn:aws:kms:us-east-1:111122223333:{ALIAS}"

Become = Callable[..., None]


def allowing(action: str | list[str], resource: str | list[str] = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def all_but(*actions: str) -> dict[str, Any]:
    needed = {"Sign", "GetPublicKey", "DescribeKey", "CreateKey", "TagResource", "CreateAlias"}
    return allowing(sorted({f"kms:{each}" for each in needed} - set(actions)))


def statement_in(remedy: str | None) -> dict[str, Any]:
    """The statement in a remedy, which must be JSON."""
    assert remedy is not None
    statement: dict[str, Any]
    statement, _ = json.JSONDecoder().raw_decode(remedy[remedy.index("{") :])
    return statement


def denied(act: Callable[[], object]) -> dict[str, Any]:
    """The statement in the error that ``act`` ends in."""
    with pytest.raises(AccessDeniedError) as caught:
        act()
    return statement_in(caught.value.remedy)


def sign(name: str) -> None:
    with opened(key_id=name) as signer:
        signer.sign(b"message")


def init() -> None:
    init_signer(options(max_retries=0, tags={"team": "rollup"})).close()


@pytest.fixture
def become(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Lets the environment hold the credentials of somebody with these statements."""

    def become(*statements: dict[str, Any]) -> None:
        for name, value in fake_kms.add_identity(policy={"Statement": list(statements)}).environment().items():
            monkeypatch.setenv(name, value)

    return become


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("action", ["kms:GetPublicKey", "kms:Sign"])
def test_what_a_key_is_used_for_is_permitted_on_the_key_whatever_its_name(
    fake_kms: FakeKms, become: Become, action: str, form: Callable[[FakeKey], str]
) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    become(all_but(action))
    statement = denied(lambda: sign(form(key)))
    assert statement == allowing(action, key.arn)
    become(all_but(action), statement)
    sign(form(key))


def test_the_key_state_is_permitted_on_the_key(fake_kms: FakeKms, become: Become) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    become(all_but("kms:DescribeKey"))
    (failed,) = (each for each in check() if not each.passed)
    assert statement_in(failed.remedy) == allowing("kms:DescribeKey", key.arn)
    become(all_but("kms:DescribeKey"), statement_in(failed.remedy))
    assert all(each.passed for each in check())


@pytest.mark.parametrize("action", ["kms:CreateKey", "kms:TagResource"])
def test_a_key_is_made_on_no_resource(fake_kms: FakeKms, become: Become, action: str) -> None:
    become(all_but(action))
    statement = denied(init)
    assert statement == allowing(action, "*")
    become(all_but(action), statement)
    init()


@pytest.mark.parametrize("allowed", [[], [ALIAS_ARN], ["arn:aws:kms:us-east-1:111122223333:key/*"]])
def test_an_alias_is_made_on_the_alias_and_on_its_key(fake_kms: FakeKms, become: Become, allowed: list[str]) -> None:
    become(all_but("kms:CreateAlias"), allowing("kms:CreateAlias", allowed))
    statement = denied(init)
    made = statement["Resource"][1]
    assert statement == allowing("kms:CreateAlias", [ALIAS_ARN, fake_kms.key(made).arn])
    with boto3_client(fake_kms, fake_kms.add_identity(policy={"Statement": statement})) as client:
        client.create_alias(AliasName=ALIAS, TargetKeyId=made)  # as the remedy says, too
    assert fake_kms.key(ALIAS).arn == made


USER = "User: arn:aws-cn:sts::444455556666:assumed-role/role/session is not authorized to perform: kms:GetPublicKey"
THEIRS = "arn:aws-cn:kms:us-east-1:444455556666:key"
KEY_ID = "0f0e0d0c-0b0a-4988-8776-655443322110"
BY_ALIAS = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}}
#: What is denied without a word about the key: the name in key_id, AWS's text, the policy, the statement without the
#: action.
WITHOUT_KEY: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "alias": (
        ALIAS,
        f"{USER} because no identity-based policy allows the kms:GetPublicKey action",
        "IAM policy",
        {"Resource": f"{THEIRS}/*", "Condition": BY_ALIAS},
    ),
    "key id": (KEY_ID, USER, "IAM policy", {"Resource": f"{THEIRS}/{KEY_ID}"}),
    "another key": (
        KEY_ID,
        f"{USER} on resource: {THEIRS}/ffffffff-0b0a-4988-8776-655443322110",
        "IAM policy",
        {"Resource": f"{THEIRS}/{KEY_ID}"},
    ),
    "alias ARN": (
        ALIAS_ARN,
        USER,
        "IAM policy",
        {"Resource": "arn:aws:kms:us-east-1:111122223333:key/*", "Condition": BY_ALIAS},
    ),
    "no words at all": (
        ALIAS,
        "",
        "IAM policy",
        {"Resource": "arn:aws:kms:us-east-1:*:key/*", "Condition": BY_ALIAS},
    ),
    "a name that is none": ('a"name"', "", "IAM policy", {"Resource": "arn:aws:kms:us-east-1:*:key/*"}),
    "key policy": (
        f"{THEIRS}/{KEY_ID}",
        f"{USER} on resource: {THEIRS}/{KEY_ID} because no resource-based policy allows the kms:GetPublicKey action",
        "key policy",
        {"Principal": {"AWS": "arn:aws-cn:sts::444455556666:assumed-role/role/session"}, "Resource": "*"},
    ),
    "boundary": (
        f"{THEIRS}/{KEY_ID}",
        f"{USER} on resource: {THEIRS}/{KEY_ID} because no permissions boundary allows the kms:GetPublicKey action",
        "permissions boundary",
        {"Resource": f"{THEIRS}/{KEY_ID}"},
    ),
}


@pytest.mark.parametrize(("name", "text", "policy", "statement"), WITHOUT_KEY.values(), ids=WITHOUT_KEY)
def test_the_statement_is_as_narrow_as_what_is_known(
    fake_kms: FakeKms, name: str, text: str, policy: str, statement: dict[str, Any]
) -> None:
    fake_kms.inject(faults.error("AccessDeniedException", text), operation="GetPublicKey")
    with pytest.raises(AccessDeniedError) as caught:
        opened(key_id=name)
    assert f"allow it in the {policy}: {{" in str(caught.value.remedy)
    assert statement_in(caught.value.remedy) == {"Effect": "Allow", "Action": "kms:GetPublicKey", **statement}


def test_what_is_denied_explicitly_is_not_to_be_allowed_but_the_denial_to_be_taken_back(
    fake_kms: FakeKms, become: Become
) -> None:
    fake_kms.create_key(alias=ALIAS)
    become(all_but(), {"Effect": "Deny", "Action": "kms:Sign", "Resource": "*"})
    with opened() as signer, pytest.raises(SignerError) as caught:
        signer.sign(b"message")
    assert caught.value.remedy == "it is denied explicitly: take the Deny of kms:Sign back in the identity-based policy"
