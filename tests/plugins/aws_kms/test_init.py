"""``signer init``: the key of an alias that does not exist."""

import logging
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from signer_aws_kms import making
from signer_aws_kms.asked import Asked
from signer_aws_kms.connection import ProxyRefusedError
from signer_aws_kms.failures import of_connection
from signer_aws_kms.pool import BusyError
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, init_signer
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    KeyNotFoundError,
    KeyUnavailableError,
    SignError,
    UnsupportedAlgorithmError,
)
from signer_core.hookspecs import SigningKey
from tests.plugins.aws_kms.signers import ALIAS, account, opened, options


def test_the_key_of_a_missing_alias_is_made(fake_kms: FakeKms) -> None:
    with init_signer(options(description="signs blocks", tags={"team": "sequencer"})) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
    key = fake_kms.key(ALIAS)
    assert signer.key_id == key.arn
    assert (key.spec, key.usage, key.description) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "signs blocks")
    assert key.tags == {"team": "sequencer"}


@pytest.mark.parametrize(
    ("more", "spec"),
    [
        ({"algorithm": "ed25519"}, "ECC_NIST_EDWARDS25519"),
        ({"algorithm": "ecdsa-secp256k1-sha256"}, "ECC_SECG_P256K1"),
        ({"algorithm": "rsa-pkcs1v15-sha256"}, "RSA_3072"),
        ({"algorithm": "rsa-pss-sha512", "rsa_bits": 2048}, "RSA_2048"),
        ({"algorithm": "ml-dsa-87", "rsa_bits": 2048}, "ML_DSA_87"),
        ({"rsa_bits": 4096}, "ECC_NIST_EDWARDS25519"),
    ],
)
def test_the_key_is_one_for_the_configured_algorithm(fake_kms: FakeKms, more: dict[str, object], spec: str) -> None:
    with init_signer(options(**more)) as made, init_signer(options(**more)) as again:
        again.public_key.verify(made.sign(bytes(4000)), bytes(4000))
        assert made.algorithm == more.get("algorithm", "ed25519")
    assert (fake_kms.key(ALIAS).spec, fake_kms.requests["CreateKey"]) == (spec, 1)


def test_no_key_is_made_where_there_is_one_for_another_algorithm(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with pytest.raises(UnsupportedAlgorithmError, match="does not serve ml-dsa-44"):
        init_signer(options(algorithm="ml-dsa-44"))
    assert fake_kms.requests["CreateKey"] == 0


def test_an_rsa_key_has_a_size_that_kms_has() -> None:
    with pytest.raises(ConfigError, match=r"rsa_bits.*2048, 3072, 4096"):
        init_signer(options(algorithm="rsa-pss-sha256", rsa_bits=1024))


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


def test_the_alias_is_made_once(fake_kms: FakeKms) -> None:
    init_signer(options()).close()
    assert fake_kms.requests["CreateAlias"] == 1


def test_the_alias_leads_to_the_key_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeKms(unseen=3) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        init_signer(options(timeout=30)).close()
        with opened() as signer:
            assert signer.key_id == kms.key(ALIAS).arn


DOUBTFUL: dict[str, faults.Fault] = {
    **{
        code: faults.error(code)
        for code in (
            "KMSInternalException",
            "DependencyTimeoutException",
            "InternalFailure",
            "InternalException",
            "KeyUnavailableException",
            "RequestTimeout",
            "ServiceUnavailableException",
        )
    },
    **{f"HTTP {status}": faults.http_error(status) for status in (500, 502, 503, 504)},
    "an unknown code with 500": faults.error("SomethingNewException", status=500),
    "lost": faults.lose(),
    "closed": faults.close(),
    "reset": faults.reset(),
    "cut": faults.cut(),
    "garbage": faults.garbage(),
    "no metadata": faults.without("KeyMetadata"),
    "no ARN": faults.with_members(KeyMetadata={"KeyId": "0f0e0d0c-0b0a-4988-8776-655443322110"}),
}


@pytest.mark.parametrize("fault", DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_may_have_made_a_key_is_not_asked_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.inject(fault, operation="CreateKey")
    with pytest.raises(BackendUnavailableError, match=r"a key may have been made.*list-keys.*CloudTrail") as caught:
        init_signer(options())
    assert not caught.value.retryable
    assert fake_kms.requests["CreateKey"] == 1


def test_a_key_that_is_not_made_in_time_is_not_asked_for_again(fake_kms: FakeKms) -> None:
    _held = account()
    fake_kms.inject(faults.hang(), operation="CreateKey")
    with pytest.raises(DeadlineExceededError, match="a key may have been made") as caught:
        init_signer(options(timeout="300ms"))
    assert not caught.value.retryable
    assert fake_kms.requests["CreateKey"] == 1


@pytest.mark.parametrize("fault", [faults.throttle(), faults.http_error(429)], ids=["throttled", "HTTP 429"])
def test_what_certainly_made_no_key_is_asked_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.inject(fault, operation="CreateKey")
    with init_signer(options()) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn
    assert fake_kms.requests["CreateKey"] == 2


UNSENT = [
    ConnectionRefusedError(),
    ProxyRefusedError(503),
    BusyError(),
    socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
    DeadlineExceededError("waited for what is needed to connect"),
]


@pytest.mark.parametrize("error", UNSENT, ids=lambda error: type(error).__name__)
def test_what_was_never_sent_leaves_no_doubt(error: Exception) -> None:
    asked = Asked("CreateKey", ALIAS, "us-east-1", in_doubt="look")
    assert of_connection(error, asked).retryable


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), ssl.SSLError()], ids=lambda error: type(error).__name__
)
def test_what_may_have_been_sent_leaves_doubt(error: Exception) -> None:
    failure = of_connection(error, Asked("CreateKey", ALIAS, "us-east-1", in_doubt="look"))
    assert (failure.retryable, failure.remedy) == (False, "look")


def test_the_first_look_at_a_key_is_an_attempt_of_its_own(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "ATTEMPT_TIMEOUT", 0.1)
    fake_kms.inject(faults.hang(), operation="GetPublicKey")
    with init_signer(options()) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", AccessDeniedError),
        ("KMSInvalidStateException", KeyUnavailableError),
        ("LimitExceededException", SignError),
        ("InvalidAliasNameException", SignError),
    ],
)
def test_an_alias_that_is_refused_is_an_error_that_names_the_key_that_was_made(
    fake_kms: FakeKms, code: str, kind: type[SignError]
) -> None:
    fake_kms.inject(faults.error(code), operation="CreateAlias", times=None)
    with pytest.raises(SignError, match=r"the key arn:\S+ was made.*create-alias.*schedule-key-deletion") as caught:
        init_signer(options())
    assert (type(caught.value), caught.value.retryable) == (kind, False)
    assert fake_kms.requests["CreateKey"] == 1


def test_a_key_whose_alias_could_not_be_made_in_time_is_named(fake_kms: FakeKms) -> None:
    _held = account()
    fake_kms.inject(faults.error("KMSInternalException"), operation="CreateAlias", times=None)
    with pytest.raises(DeadlineExceededError, match=r"the key arn:\S+ was made.*create-alias") as caught:
        init_signer(options(timeout="500ms"))
    assert not caught.value.retryable
    assert fake_kms.requests["CreateKey"] == 1


@pytest.mark.parametrize(
    "fault",
    [faults.error("KMSInternalException"), faults.throttle(), faults.http_error(503), faults.reset(), faults.cut()],
    ids=["internal", "throttled", "HTTP 503", "reset", "cut"],
)
def test_an_alias_is_asked_for_again(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.inject(fault, operation="CreateAlias")
    with init_signer(options()) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn
    assert fake_kms.requests["CreateKey"] == 1


def test_a_stale_connection_is_not_used_to_make_a_key(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("NotFoundException"), operation="GetPublicKey")
    with init_signer(options()):
        assert fake_kms.requests["CreateKey"] == 1
        assert fake_kms.connections_opened == 2


@pytest.mark.parametrize("exists_here", [False, True])
def test_no_key_is_made_for_an_alias_of_another_account(fake_kms: FakeKms, exists_here: bool) -> None:
    if exists_here:
        fake_kms.create_key(alias=ALIAS)
    fake_kms.inject(faults.error("NotFoundException"), operation="GetPublicKey")
    with pytest.raises(ConfigError, match=f"not in the account and region.*write {ALIAS}"):
        init_signer(options(key_id="arn:aws:kms:us-east-1:999999999999:alias/sequencer"))
    assert fake_kms.requests["CreateKey"] == 0


def test_no_key_is_made_for_an_alias_of_another_region(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match="not in the account and region"):
        init_signer(options(key_id="arn:aws:kms:eu-west-1:111122223333:alias/sequencer"))
    assert fake_kms.requests["CreateKey"] == 0


def test_the_key_of_an_alias_arn_is_made_where_kms_does_not_tell_the_account(fake_kms: FakeKms) -> None:
    fake_kms.inject(faults.error("NotFoundException", "not found"), operation="GetPublicKey", times=2)
    with init_signer(options(key_id=f"arn:aws:kms:us-east-1:111122223333:{ALIAS}")) as signer:
        assert signer.key_id == fake_kms.key(ALIAS).arn


def test_open_makes_nothing(fake_kms: FakeKms) -> None:
    with pytest.raises(KeyNotFoundError):
        opened()
    assert fake_kms.requests["CreateKey"] == 0


def test_making_a_key_has_the_whole_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer_core import Deadline

    given: list[float | None] = []

    def init_key(_: object, deadline: Deadline) -> SigningKey:
        given.append(deadline.seconds)
        raise SignError("no")

    monkeypatch.setattr(making, "init_key", init_key)
    with pytest.raises(SignError):
        init_signer(options(timeout=20, attempt_timeout=1))
    assert given == [20.0]
