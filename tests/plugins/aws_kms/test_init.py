"""``signer init``: the key of an alias that does not exist."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, init_signer
from signer_core.errors import AccessDeniedError, ConfigError, KeyNotFoundError, SignError
from signer_core.hookspecs import SigningKey
from tests.plugins.aws_kms.signers import ALIAS, opened, options


def test_the_key_of_a_missing_alias_is_made(fake_kms: FakeKms) -> None:
    with init_signer(options(description="signs blocks", tags={"team": "sequencer"})) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
    key = fake_kms.key(ALIAS)
    assert signer.key_id == key.arn
    assert (key.spec, key.usage, key.description) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "signs blocks")
    assert key.tags == {"team": "sequencer"}


def test_the_key_of_a_missing_alias_arn_is_made(fake_kms: FakeKms) -> None:
    with init_signer(options(key_id=f"arn:aws:kms:us-east-1:111122223333:{ALIAS}")) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn


def test_running_it_twice_makes_one_key(fake_kms: FakeKms) -> None:
    with init_signer(options()) as first, init_signer(options()) as second:
        assert first.key_id == second.key_id
    assert fake_kms.requests["CreateKey"] == 1


@pytest.mark.parametrize(
    "key_id",
    [
        "0f0e0d0c-0b0a-4988-8776-655443322110",
        "arn:aws:kms:us-east-1:111122223333:key/0f0e0d0c-0b0a-4988-8776-655443322110",
    ],
)
def test_nothing_is_made_for_a_key_id_that_does_not_exist(fake_kms: FakeKms, key_id: str) -> None:
    with pytest.raises(KeyNotFoundError, match="only the key of an alias"):
        init_signer(options(key_id=key_id))
    assert fake_kms.requests["CreateKey"] == 0


def test_nothing_is_made_under_a_name_of_awss_own(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match="alias/aws/"):
        init_signer(options(key_id="alias/aws/mine"))
    assert fake_kms.requests["CreateKey"] == 0


def test_nothing_is_made_where_reading_the_key_is_denied(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("AccessDeniedException"), operation="GetPublicKey")
    with pytest.raises(AccessDeniedError):
        init_signer(options())
    assert fake_kms.requests["CreateKey"] == 0


@pytest.mark.parametrize("unseen", [1, 3])
def test_one_key_is_made_although_it_is_not_seen_at_once(monkeypatch: pytest.MonkeyPatch, unseen: int) -> None:
    with FakeKms(unseen=unseen) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        with init_signer(options(timeout=30)) as signer:
            signer.public_key.verify(signer.sign(b"message"), b"message")
        assert kms.requests["CreateKey"] == 1


def test_the_loser_of_a_race_uses_the_winners_key_and_names_its_own(
    fake_kms: FakeKms, caplog: pytest.LogCaptureFixture
) -> None:
    winners = []

    def lose(request: faults.Request) -> object:
        winners.append(fake_kms.create_key(alias=ALIAS))
        return request.proceed()

    fake_kms.inject(lose, operation="CreateAlias")  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING), init_signer(options()) as signer:
        assert signer.key_id == winners[0].arn
        signer.sign(b"message")
    vain = re.search(r"the key (\S+) was made in vain", caplog.text)
    assert vain is not None
    assert fake_kms.key(vain[1]) is not winners[0]
    assert f"schedule-key-deletion --key-id {vain[1]}" in caplog.text


def test_of_many_at_once_all_use_one_key(fake_kms: FakeKms) -> None:
    with ThreadPoolExecutor(8) as callers:
        signers: list[Signer] = list(callers.map(lambda _: init_signer(options(timeout=60)), range(8)))
    assert {signer.key_id for signer in signers} == {fake_kms.key(ALIAS).arn}
    for signer in signers:
        signer.close()


def test_an_alias_whose_answer_was_lost_is_our_own(fake_kms: FakeKms, caplog: pytest.LogCaptureFixture) -> None:
    fake_kms.inject(faults.lose(), operation="CreateAlias")
    with caplog.at_level(logging.WARNING), init_signer(options()) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn
    assert "in vain" not in caplog.text
    assert fake_kms.requests["CreateKey"] == 1


def test_a_key_whose_answer_was_lost_is_not_made_again(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.lose(), operation="CreateKey")
    with pytest.raises(SignError) as caught:
        init_signer(options())
    assert not caught.value.retryable
    assert fake_kms.requests["CreateKey"] == 1


def test_throttling_of_create_key_is_tried_again(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.throttle(), operation="CreateKey")
    with init_signer(options()) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn


def test_an_alias_that_is_denied_is_an_error_that_names_the_key_that_was_made(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("AccessDeniedException"), operation="CreateAlias", times=None)
    with pytest.raises(SignError, match=r"the key arn:\S+ was made.*create-alias.*schedule-key-deletion"):
        init_signer(options())
    assert fake_kms.requests["CreateKey"] == 1


def test_a_stale_connection_is_not_used_to_make_a_key(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("NotFoundException"), operation="GetPublicKey")
    with init_signer(options()):
        assert fake_kms.requests["CreateKey"] == 1
        assert fake_kms.connections_opened == 2


def test_a_key_of_an_alias_elsewhere_is_not_named_so(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("NotFoundException"), operation="GetPublicKey")
    with pytest.raises(SignError, match="not in the account and region"):
        init_signer(options(key_id="arn:aws:kms:us-east-1:999999999999:alias/sequencer"))


def test_open_makes_nothing(fake_kms: FakeKms) -> None:
    with pytest.raises(KeyNotFoundError):
        opened()
    assert fake_kms.requests["CreateKey"] == 0


def test_making_a_key_has_the_whole_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer_aws_kms import making
    from signer_core import Deadline

    given: list[float | None] = []

    def init_key(_: object, deadline: Deadline) -> SigningKey:
        given.append(deadline.seconds)
        raise SignError("no")

    monkeypatch.setattr(making, "init_key", init_key)
    with pytest.raises(SignError):
        init_signer(options(timeout=20, attempt_timeout=1))
    assert given == [20.0]
