"""What ``signer check`` says of the way to a signature."""

import re
import threading

import botocore.credentials
import pytest

from signer_aws_kms import checking
from signer_aws_kms.testing import FakeKms, faults
from tests.plugins.aws_kms.peers import Clock
from tests.plugins.aws_kms.signers import ALIAS, account, check

STEPS = [
    "credentials",
    "region and endpoint",
    "key",
    "key state",
    "public key",
    "permission to sign",
    "signature",
    "latency",
]


def failures(**more: object) -> list[tuple[str, str, str | None]]:
    return [(each.step, each.detail, each.remedy) for each in check(**more) if not each.passed]  # type: ignore[arg-type]


def test_a_key_in_order_passes_every_step(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    verdicts = check()
    assert [(each.step, each.passed) for each in verdicts] == [(step, True) for step in STEPS]
    details = {each.step: each.detail for each in verdicts}
    assert details["credentials"] == "found by env"
    assert details["region and endpoint"] == f"us-east-1, {fake_kms.endpoint_url}"
    assert details["key"] == key.arn
    assert details["key state"] == "Enabled, ECC_NIST_EDWARDS25519, SIGN_VERIFY"
    assert key.public_key.fingerprint in details["public key"]


def test_latency_is_that_of_ten_calls_beside_the_timeout(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    latency = check(20)[-1].detail
    assert latency.startswith("10 signatures: median ")
    assert "worst" in latency
    assert latency.endswith("the timeout is 20s")
    assert fake_kms.requests["Sign"] == 12  # a dry run, one to verify, ten


def test_slow_answers_fail_the_latency(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    monkeypatch.setattr(checking, "_seconds", lambda _: 11.0)
    ((step, detail, remedy),) = failures(seconds=20.0)
    assert (step, remedy) == ("latency", "look at the network, or raise the timeout")
    assert detail == "1 signature: median 11s, worst 11s; the timeout is 20s"


def test_only_as_many_signatures_are_timed_as_there_is_time_for(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    clock = Clock()

    def slow(_: object) -> float:
        clock.now += 4
        return 4.0

    monkeypatch.setattr(checking, "_seconds", slow)
    latency = check(20, clock=clock)[-1]
    assert (latency.passed, latency.detail) == (True, "3 signatures: median 4s, worst 4s; the timeout is 20s")


@pytest.mark.parametrize(
    ("operation", "skip"),
    [("GetPublicKey", 0), ("DescribeKey", 0), ("Sign", 0), ("Sign", 1), ("Sign", 5)],
    ids=["key", "state", "permission", "signature", "latency"],
)
@pytest.mark.parametrize("fault", [faults.throttle(), faults.hang()], ids=["throttled", "hung"])
def test_each_step_is_tried_again_as_signing_is(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, operation: str, skip: int, fault: faults.Fault
) -> None:
    monkeypatch.setattr(checking, "ATTEMPT_TIMEOUT", 0.2)
    fake_kms.create_key(alias=ALIAS)
    injection = fake_kms.inject(fault, operation=operation, skip=skip)
    assert not failures()
    assert injection.hits == 1


def test_a_server_that_hangs_ends_the_check_in_time(fake_kms: FakeKms) -> None:
    _held = account()
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.hang(), times=None)
    assert [(each.step, each.passed) for each in check(0.3)] == [
        ("credentials", True),
        ("region and endpoint", True),
        ("key", False),
    ]


def test_no_region_fails_the_first_step(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    ((step, _, remedy),) = failures()
    assert step == "region and endpoint"
    assert "AWS_DEFAULT_REGION" in str(remedy)


def test_no_credentials_end_the_check_with_a_remedy(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert [each.step for each in check()] == STEPS[:2]
    ((step, detail, _),) = failures()
    assert (step, detail) == ("credentials", "there are no AWS credentials")


@pytest.mark.parametrize(
    ("missing", "step"),
    [("kms:GetPublicKey", "key"), ("kms:DescribeKey", "key state"), ("kms:Sign", "permission to sign")],
)
def test_a_missing_permission_is_named(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch, missing: str, step: str
) -> None:
    fake_kms.create_key(alias=ALIAS)
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Action": missing, "Resource": "*"},
        ]
    }
    for name, value in fake_kms.add_identity(policy=policy).environment().items():
        monkeypatch.setenv(name, value)
    ((failed, _, remedy),) = failures()
    assert failed == step
    assert missing in str(remedy)


def test_a_disabled_key_fails_with_the_remedy(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS).disable()
    failed = {step: detail for step, detail, _ in failures()}
    assert "Disabled" in failed["key state"]


def test_a_missing_key_fails_with_the_remedy(fake_kms: FakeKms) -> None:
    assert "key" in {step for step, _, _ in failures()}


def test_a_wrong_signature_fails(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.flip_bit(), operation="Sign", skip=1)
    ((step, detail, _),) = failures()
    assert (step, detail) == ("signature", "it does not verify")


@pytest.mark.parametrize(("skip", "step"), [(1, "signature"), (5, "latency")])
def test_signatures_that_are_throttled_to_the_end_fail(fake_kms: FakeKms, skip: int, step: str) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.throttle(), operation="Sign", skip=skip, times=None)
    failed = failures()
    assert failed[0][0] == step
    assert "gave up after 4 attempts" in failed[0][1]


def test_all_permissions_that_are_missing_are_named_at_once(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kms.create_key(alias=ALIAS)
    nothing = {"Statement": {"Effect": "Allow", "Action": "kms:ListAliases", "Resource": "*"}}
    for name, value in fake_kms.add_identity(policy=nothing).environment().items():
        monkeypatch.setenv(name, value)
    named = [f"{step}: {re.search('kms:[A-Za-z]+', str(remedy))[0]}" for step, _, remedy in failures()]  # type: ignore[index]
    assert named == ["key: kms:GetPublicKey", "key state: kms:DescribeKey", "permission to sign: kms:Sign"]


def test_credentials_that_are_not_found_in_time_fail(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    _held, over = account(), threading.Event()
    monkeypatch.setattr(botocore.credentials.CredentialResolver, "load_credentials", lambda _: over.wait(30) and None)
    ((step, detail, _),) = failures(seconds=0.2)
    over.set()
    assert step == "credentials"
    assert "they were not found in time" in detail


def test_grant_tokens_are_used(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    check(grant_tokens=("token",))
    assert all(request.parameters.get("GrantTokens") == ["token"] for request in fake_kms.received)


def test_every_failure_has_a_remedy(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error("SomethingNewException"), times=None)
    assert all(remedy for _, _, remedy in failures())


def test_the_check_needs_one_connection(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    check()
    assert fake_kms.connections_opened == 1
