"""The clocks of both sides: each request is signed with the time, and AWS refuses those of another one."""

import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import attrs
import pytest

from signer_aws_kms.testing import FakeKms, faults
from signer_core.errors import AccessDeniedError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.signers import ALIAS, opened


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_wrong_clock_is_set_right_once_by_the_servers_date(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    with FakeKms(clock=lambda: time.time() + seconds) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        with caplog.at_level(logging.WARNING), opened() as signer:
            signer.sign(b"message")
        assert kms.requests == {"GetPublicKey": 2, "Sign": 1}
    assert round(seconds / 60) == round(float(caplog.text.partition("clock differs from AWS's by ")[2].split()[0]) / 60)


def test_a_clock_that_was_set_right_can_go_wrong_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(time.time() + 3600)
    with FakeKms(clock=clock) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        with opened() as signer:
            clock.now -= 7200
            signer.sign(b"message")
        assert kms.requests == {"GetPublicKey": 2, "Sign": 2}


def test_a_clock_that_is_right_is_not_blamed_for_a_wrong_secret(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret access key")
    with pytest.raises(AccessDeniedError):
        opened()
    assert fake_kms.requests == {"GetPublicKey": 1}


def test_all_calls_that_met_a_wrong_clock_together_are_set_right(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(time.time())
    together = threading.Barrier(8)

    def wait(request: faults.Request) -> Any:
        together.wait(PATIENCE)
        return request.proceed()

    with FakeKms(clock=clock) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        with caplog.at_level(logging.WARNING), opened() as signer, ThreadPoolExecutor(8) as callers:
            clock.now += 3600
            kms.inject(wait, operation="Sign", times=8)
            for signature in callers.map(signer.sign, [b"message"] * 8):
                signer.public_key.verify(signature, b"message")
        assert kms.requests["Sign"] == 16
    assert "clock differs" in caplog.text


def test_a_request_that_was_long_on_its_way_is_sent_again_though_no_clock_is_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(time.time())

    def dawdle(request: faults.Request) -> Any:
        clock.now += 600
        return request.proceed()

    with FakeKms(clock=clock) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        with opened() as signer:
            signer._key.open_key.key._account.transport._clock = clock  # type: ignore[attr-defined]
            kms.inject(dawdle, operation="Sign")
            signer.sign(b"message")
    assert "clock differs" not in caplog.text


def test_what_fails_after_the_clock_was_set_right_is_tried_again_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeKms(clock=lambda: time.time() + 3600) as kms:
        for name, value in kms.environment().items():
            monkeypatch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        kms.inject(faults.throttle(), operation="GetPublicKey", skip=1)
        with opened(max_retries=1) as signer:
            signer.sign(b"message")
        assert kms.requests == {"GetPublicKey": 3, "Sign": 1}


def test_a_server_whose_clock_is_never_the_same_is_asked_twice(fake_kms: FakeKms) -> None:
    hours = itertools.count(1)

    def refuse(request: faults.Request) -> Any:
        date = formatdate(time.time() + next(hours) * 3600, usegmt=True)
        return attrs.evolve(faults.error("RequestTimeTooSkewed")(request), headers={"Date": date})

    fake_kms.inject(refuse, times=None)
    with pytest.raises(AccessDeniedError, match="set this machine's clock") as caught:
        opened(max_retries=3)
    assert not caught.value.retryable
    assert fake_kms.requests == {"GetPublicKey": 2}
