"""``cache_ttl``: the name is looked up again, and a new key takes over as a whole."""

import logging

import pytest

from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer
from tests.plugins.aws_kms.peers import Clock
from tests.plugins.aws_kms.signers import ALIAS, opened


def signer_with(clock: Clock, cache_ttl: float = 60.0) -> Signer:
    return Signer(AwsKmsKey.open(ALIAS, cache_ttl=cache_ttl), clock=clock, timeout=10)


def test_without_cache_ttl_the_name_is_looked_up_once(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    clock = Clock()
    with signer_with(clock, 0.0) as signer:
        clock.now += 1e9
        signer.sign(b"message")
    assert fake_kms.requests["GetPublicKey"] == 1


def test_the_name_is_looked_up_again_after_cache_ttl(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    clock = Clock()
    with signer_with(clock) as signer:
        signer.sign(b"message")
        clock.now += 61
        signer.sign(b"message")
    assert fake_kms.requests["GetPublicKey"] == 2


def test_a_moved_alias_changes_arn_and_public_key_together_with_a_warning(
    fake_kms: FakeKms, caplog: pytest.LogCaptureFixture
) -> None:
    old = fake_kms.create_key(alias=ALIAS)
    clock = Clock()
    with signer_with(clock) as signer:
        new = fake_kms.create_key(alias=ALIAS)
        clock.now += 61
        with caplog.at_level(logging.WARNING):
            new.public_key.verify(signer.sign(b"message"), b"message")
        assert (signer.key_id, signer.public_key) == (new.arn, new.public_key)
    assert old.arn in caplog.text
    assert new.arn in caplog.text


def test_a_moved_alias_is_not_followed_without_cache_ttl(fake_kms: FakeKms) -> None:
    old = fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        fake_kms.create_key(alias=ALIAS)
        old.public_key.verify(signer.sign(b"message"), b"message")


def test_a_renewal_that_fails_keeps_the_key(fake_kms: FakeKms, caplog: pytest.LogCaptureFixture) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    clock = Clock()
    with signer_with(clock) as signer:
        fake_kms.inject(faults.error("AccessDeniedException"), operation="GetPublicKey")
        clock.now += 61
        key.public_key.verify(signer.sign(b"message"), b"message")
    assert "last good one stays in use" in caplog.text


def test_a_renewal_is_a_call_of_the_pool_like_any_other(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    clock = Clock()
    with signer_with(clock) as signer:
        signer.sign(b"message")
        fake_kms.create_key(alias=ALIAS)
        clock.now += 61
        signer.sign(b"message")
        signer.sign(b"message")
    assert fake_kms.connections_opened == 1


def test_cache_ttl_is_a_duration(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(cache_ttl="10m") as signer:
        assert signer._key.open_key.key.renew_after == 600
