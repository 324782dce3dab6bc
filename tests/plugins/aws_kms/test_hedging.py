"""A second request beside one that KMS does not answer, over real connections."""

import threading
from collections.abc import Iterator

import pytest

from signer_aws_kms.testing import FakeKms, faults
from signer_core import init_signer
from signer_core.errors import AccessDeniedError, ConfigError, DeadlineExceededError, SignatureVerificationError
from tests.keys import in_thread, until
from tests.plugins.aws_kms.signers import ALIAS, opened, options


@pytest.fixture
def answers(fake_kms: FakeKms) -> Iterator[threading.Event]:
    """The request that hangs is answered once this is set."""
    fake_kms.create_key(alias=ALIAS)
    event = threading.Event()
    yield event
    event.set()


def test_second_request_is_answered_while_the_first_hangs(fake_kms: FakeKms, answers: threading.Event) -> None:
    with opened(hedge_after="20ms") as signer:
        fake_kms.inject(faults.hang(answers), operation="Sign")
        signature = signer.sign(b"message")
        signer.public_key.verify(signature, b"message")
        assert fake_kms.requests["Sign"] == 2
        answers.set()


def test_request_that_lost_gives_its_connection_back(fake_kms: FakeKms, answers: threading.Event) -> None:
    signer = opened(hedge_after="20ms", attempt_timeout="1h", timeout="2h", max_connections=2)
    for _ in range(3):
        fake_kms.inject(faults.hang(answers), operation="Sign")
        signing = in_thread(lambda: signer.sign(b"message"))
        signer.public_key.verify(signing.result(), b"message")
    in_thread(signer.close).result()  # waits for none
    assert fake_kms.requests["Sign"] == 6


def test_wrong_signature_does_not_win(fake_kms: FakeKms, answers: threading.Event) -> None:
    with opened(hedge_after="20ms") as signer:
        fake_kms.inject(faults.hang(answers), operation="Sign")
        fake_kms.inject(faults.flip_bit(), operation="Sign")
        call = in_thread(lambda: signer.sign(b"message"))
        until(lambda: fake_kms.requests["Sign"] == 2)
        answers.set()
        signer.public_key.verify(call.result(), b"message")
        fake_kms.inject(faults.flip_bit(), operation="Sign", times=None)
        with pytest.raises(SignatureVerificationError):
            signer.sign(b"message")


def test_both_that_hang_end_in_time_and_are_tried_again(fake_kms: FakeKms, answers: threading.Event) -> None:
    with opened(hedge_after="20ms", attempt_timeout="400ms", max_retries=1) as signer:
        fake_kms.inject(faults.hang(answers), operation="Sign", times=2)
        signer.sign(b"message")
        assert fake_kms.requests["Sign"] >= 3
        fake_kms.inject(faults.hang(answers), operation="Sign", times=None)
        with pytest.raises(DeadlineExceededError, match="KMS Sign of arn"):
            signer.sign(b"message", timeout=0.3)


def test_refused_request_is_not_hidden_by_one_that_hangs(fake_kms: FakeKms, answers: threading.Event) -> None:
    with opened(hedge_after="20ms", attempt_timeout="500ms", max_retries=3) as signer:
        fake_kms.inject(faults.hang(answers), operation="Sign")
        fake_kms.inject(faults.error("AccessDeniedException"), operation="Sign")
        with pytest.raises(AccessDeniedError) as caught:
            signer.sign(b"message")
    [note] = caught.value.__notes__
    assert note.startswith("the other attempt: KMS Sign of arn")


def test_key_of_another_algorithm_is_refused_before_it_signs(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS, spec="ECC_NIST_P256")
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256"):
        opened(hedge_after="20ms")
    assert fake_kms.requests["Sign"] == 0


def test_configured_algorithm_that_does_not_fit_makes_no_key(fake_kms: FakeKms) -> None:
    with pytest.raises(ConfigError, match="'hedge_after' is not for ml-dsa-44"):
        init_signer(options(algorithm="ml-dsa-44", hedge_after="20ms"))
    assert fake_kms.requests.total() == 0
