"""The fake KMS held to the service model that boto3 is built from, and, where they overlap, to ministack's answers."""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from signer_aws_kms.signing_algorithms import SERVED
from signer_aws_kms.testing import FakeKms
from signer_aws_kms.testing.identities import ADMINISTRATOR
from signer_aws_kms.testing.key_specs import KEY_SPECS, MESSAGE_TYPES, SIGNING_ALGORITHMS
from signer_aws_kms.testing.service import OPERATIONS
from signer_core import PublicKey
from tests.plugins.aws_kms.clients import ED25519
from tests.plugins.aws_kms.ministack import Ministack

ED25519_KEY = {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"}
#: What any service of AWS may answer, so that no model names it.
COMMON_ERRORS = {"AccessDeniedException", "ThrottlingException", "ValidationException"}

TYPES: dict[str, type | tuple[type, ...]] = {
    "blob": str,  # in JSON, Base64
    "boolean": bool,
    "integer": int,
    "string": str,
    "timestamp": (int, float),
}


@pytest.fixture(scope="module")
def model() -> Iterator[ServiceModel]:
    with contextlib.closing(boto3.client("kms", region_name="us-east-1")) as client:
        yield client.meta.service_model


def problems(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """What in a JSON value is not as the shape has it."""
    if isinstance(shape, StructureShape):
        yield from (f"{where} lacks {name}" for name in shape.required_members if name not in value)
        yield from (f"{where} has {name}" for name in value if name not in shape.members)
        for name in set(value) & set(shape.members):
            # KMS repeats KeySpec in the deprecated CustomerMasterKeySpec, whose model lacks the new ones
            member = shape.members["KeySpec" if name == "CustomerMasterKeySpec" else name]
            yield from problems(member, value[name], f"{where}.{name}")
    elif isinstance(shape, ListShape):
        for each in value:
            yield from problems(shape.member, each, f"{where}[]")
    elif not isinstance(value, TYPES[shape.type_name]):
        yield f"{where} is {value!r}, not {shape.type_name}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{where} is {value}, none of {shape.enum}"


def every_operation(client: Any) -> None:
    """Use every operation that the fake has, with every part of the answer that it may have."""
    key_id = client.create_key(**ED25519_KEY, Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    other = client.create_key()["KeyMetadata"]["KeyId"]
    decrypting = client.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/a", TargetKeyId=key_id)
    client.update_alias(AliasName="alias/a", TargetKeyId=key_id)
    client.list_aliases()
    client.sign(KeyId=key_id, Message=b"message", **ED25519)
    for spec in ("ML_DSA_44", "ECC_SECG_P256K1", "RSA_2048"):
        made = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        algorithm = client.get_public_key(KeyId=made["KeyId"])["SigningAlgorithms"][0]
        client.sign(KeyId=made["KeyId"], Message=b"message", SigningAlgorithm=algorithm)
    client.get_public_key(KeyId=key_id)
    client.get_public_key(KeyId=decrypting)
    client.tag_resource(KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "c"}])
    client.list_resource_tags(KeyId=key_id)
    client.disable_key(KeyId=other)
    client.enable_key(KeyId=other)
    client.schedule_key_deletion(KeyId=other)
    client.describe_key(KeyId=other)
    client.delete_alias(AliasName="alias/a")


def test_answers_are_as_the_model_has_them(client: Any, model: ServiceModel) -> None:
    answers: list[tuple[str, bytes]] = []
    client.meta.events.register(
        "response-received.kms.*",
        lambda response_dict, event_name, **_: answers.append((event_name.rpartition(".")[2], response_dict["body"])),
    )
    every_operation(client)
    assert {name for name, _ in answers} == set(OPERATIONS)
    for name, body in answers:
        output = model.operation_model(name).output_shape
        if output is None:
            assert (name, body) == (name, b"")
        else:
            assert list(problems(output, json.loads(body), name)) == []


def test_names_are_the_models(model: ServiceModel) -> None:
    assert set(OPERATIONS) <= set(model.operation_names)
    assert set(SIGNING_ALGORITHMS) == set(model.shape_for("SigningAlgorithmSpec").enum)
    assert set(MESSAGE_TYPES) == set(model.shape_for("MessageType").enum)
    missing = set(model.shape_for("KeySpec").enum) - set(KEY_SPECS)
    assert {name for name in missing if not name.startswith(("HMAC_", "ML_KEM_"))} == {"SM2"}


def test_what_the_backend_asks_for_is_all_that_the_model_has_but_for_sm2_and_ed25519ph(model: ServiceModel) -> None:
    served = {each.name for each in SERVED.values()}
    assert set(model.shape_for("SigningAlgorithmSpec").enum) - served == {"SM2DSA", "ED25519_PH_SHA_512"}
    assert served <= set(SIGNING_ALGORITHMS)
    assert {each.prehashed or "RAW" for each in SERVED.values()} == set(model.shape_for("MessageType").enum)
    for each in SERVED.values():
        assert all(each.name in KEY_SPECS[spec].signing_algorithms for spec in each.key_specs)


Call = Callable[[Any, str, str], Any]

#: Calls with a client, the id of an enabled key and the id of a disabled one.
REFUSED: dict[str, Call] = {
    "unknown id": lambda c, _, __: c.describe_key(KeyId="10000000-0000-4000-8000-000000000000"),
    "unknown alias": lambda c, _, __: c.get_public_key(KeyId="alias/missing"),
    "sign with an unknown alias": lambda c, _, __: c.sign(KeyId="alias/missing", Message=b"m", **ED25519),
    "alias of an unknown key": lambda c, _, __: c.create_alias(
        AliasName="alias/new", TargetKeyId="10000000-0000-4000-8000-000000000000"
    ),
    "alias without its prefix": lambda c, key, _: c.create_alias(AliasName="new", TargetKeyId=key),
    "other algorithm": lambda c, key, _: c.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256"),
    "unknown algorithm": lambda c, key, _: c.sign(KeyId=key, Message=b"m", SigningAlgorithm="ROT13"),
    "disabled": lambda c, _, disabled: c.sign(KeyId=disabled, Message=b"m", **ED25519),
    "deletion too soon": lambda c, key, _: c.schedule_key_deletion(KeyId=key, PendingWindowInDays=3),
}


def prepared(client: Any) -> tuple[str, str]:
    """The ids of an enabled key and of a disabled one."""
    enabled, disabled = (client.create_key(**ED25519_KEY)["KeyMetadata"]["KeyId"] for _ in range(2))
    client.disable_key(KeyId=disabled)
    return enabled, disabled


def refused(client: Any, call: Call, keys: tuple[str, str]) -> tuple[str, str]:
    """The operation and the code of the error that a call ends in."""
    with pytest.raises(ClientError) as failure:
        call(client, *keys)
    return failure.value.operation_name, failure.value.response["Error"]["Code"]


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_errors_are_the_models_and_ministacks(
    client: Any, model: ServiceModel, ministack: Ministack, call: Call
) -> None:
    operation, code = refused(client, call, prepared(client))
    modelled = {shape.name for shape in model.operation_model(operation).error_shapes}
    assert code in modelled | COMMON_ERRORS
    with contextlib.closing(ministack.client("kms")) as other:
        assert refused(other, call, prepared(other)) == (operation, code)


def test_ministack_knows_the_members_of_the_answers(client: Any, fake_kms: FakeKms, ministack: Ministack) -> None:
    """Each answer has what ministack's has, without what it has empty and KMS does not have at all."""
    with contextlib.closing(ministack.client("kms")) as other:
        answers = []
        for each in (client, other):
            key_id = each.create_key(**ED25519_KEY)["KeyMetadata"]["KeyId"]
            answers.append(
                [
                    each.describe_key(KeyId=key_id)["KeyMetadata"],
                    each.get_public_key(KeyId=key_id),
                    each.sign(KeyId=key_id, Message=b"m", **ED25519),
                ]
            )
    for ours, theirs in zip(*answers, strict=True):
        assert {name for name, value in theirs.items() if value != []} <= set(ours)
        assert {name: type(ours[name]) for name in ours if name in theirs} == {
            name: type(theirs[name]) for name in ours if name in theirs
        }


#: Kinds of keys that both have; what is not right to sign with them: (message, its type, algorithm).
SPECS = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "RSA_2048")
NOT_SIGNED = {
    "a short digest": (bytes(31), "DIGEST", "ECDSA_SHA_256"),
    "a long digest": (bytes(48), "DIGEST", "ECDSA_SHA_256"),
    "an algorithm of other keys": (b"m", "RAW", "RSASSA_PSS_SHA_256"),
    "another hash": (bytes(48), "DIGEST", "ECDSA_SHA_384"),
    "ML-DSA": (bytes(64), "EXTERNAL_MU", "ML_DSA_SHAKE_256"),
}


@pytest.mark.parametrize("spec", SPECS)
def test_keys_of_each_kind_are_as_in_ministack(client: Any, ministack: Ministack, spec: str) -> None:
    with contextlib.closing(ministack.client("kms")) as other:
        told = []
        for each in (client, other):
            key_id = each.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
            public = each.get_public_key(KeyId=key_id)
            for algorithm in public["SigningAlgorithms"]:
                digest = hashlib.new(algorithm[-len("SHA_256") :].replace("_", ""), b"message").digest()
                signed = each.sign(KeyId=key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)
                ours = next(
                    name
                    for name, served in SERVED.items()
                    if (algorithm, spec in served.key_specs) == (served.name, True)
                )
                PublicKey.from_der(public["PublicKey"], algorithm=ours).verify(signed["Signature"], b"message")
            told.append({name: public[name] for name in ("KeySpec", "KeyUsage", "SigningAlgorithms")})
    assert told[0] == told[1]


@pytest.mark.parametrize("request_", NOT_SIGNED.values(), ids=NOT_SIGNED)
def test_what_is_not_signed_is_refused_as_in_ministack(
    client: Any, ministack: Ministack, request_: tuple[bytes, str, str]
) -> None:
    message, message_type, algorithm = request_
    with contextlib.closing(ministack.client("kms")) as other:
        told = []
        for each in (client, other):
            key_id = each.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
            with pytest.raises(ClientError) as failure:
                each.sign(KeyId=key_id, Message=message, MessageType=message_type, SigningAlgorithm=algorithm)
            told.append((failure.value.response["Error"]["Code"], failure.value.response["Error"]["Message"]))
    assert told[0] == told[1]


def test_a_secret_and_an_access_key_that_are_wrong_are_refused_as_in_ministack(
    fake_kms: FakeKms, ministack: Ministack
) -> None:
    places = [
        (fake_kms.endpoint_url, fake_kms.identity.access_key_id),
        (
            ministack.endpoint_url,
            ministack.user(f"wrong-secret-{uuid.uuid4()}", dict(ADMINISTRATOR))["aws_access_key_id"],
        ),
    ]
    for endpoint, access_key in places:
        for identifier, expected in (
            (access_key, "InvalidSignatureException"),
            ("AKIAUNKNOWNUNKNOWNUN", "UnrecognizedClientException"),
        ):
            client = boto3.client(
                "kms",
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id=identifier,
                aws_secret_access_key="wrong",
            )
            with contextlib.closing(client), pytest.raises(ClientError) as failure:
                client.describe_key(KeyId="alias/a")
            assert failure.value.response["Error"]["Code"] == expected
