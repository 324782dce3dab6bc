"""One signer in many threads and processes, and many signers of one account."""

import gc
import os
import threading
import traceback
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signer_aws_kms.config import AwsKmsConfig
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.session import session_of
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, create_signer
from tests.plugins.aws_kms.peers import PATIENCE
from tests.plugins.aws_kms.roles import role
from tests.plugins.aws_kms.signers import ALIAS, opened, options
from tests.plugins.aws_kms.sources import Source


def test_threads_share_a_signer(fake_kms: FakeKms) -> None:
    key = fake_kms.create_key(alias=ALIAS)
    with opened(max_connections=4) as signer, ThreadPoolExecutor(32) as callers:
        messages = [b"message %d" % number for number in range(200)]
        signatures = list(callers.map(signer.sign, messages))
    for signature, message in zip(signatures, messages, strict=True):
        key.public_key.verify(signature, message)
    assert fake_kms.connections_opened <= 4


def test_signers_of_one_account_share_connections(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    fake_kms.create_key(alias="alias/other")
    with opened() as first, opened(key_id="alias/other") as second:
        first.sign(b"message")
        second.sign(b"message")
    assert fake_kms.connections_opened == 1


def test_the_last_signer_that_is_closed_closes_the_connections(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    first, second = opened(), opened()
    pool = first._key.open_key.key._account.pool  # type: ignore[attr-defined]
    first.close()
    assert len(pool._open) == 1
    second.close()
    assert len(pool._open) == 0


def test_a_signer_that_nobody_closed_leaves_no_connection(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    signer = opened()
    pool = signer._key.open_key.key._account.pool  # type: ignore[attr-defined]
    del signer
    gc.collect()
    assert len(pool._open) == 0


def test_other_credentials_in_the_environment_are_another_account(
    fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened():
        for name, value in fake_kms.add_identity("second").environment().items():
            monkeypatch.setenv(name, value)
        with opened() as second:
            second.sign(b"message")
            assert os.environ["AWS_ACCESS_KEY_ID"] in fake_kms.received[-1].headers["authorization"]


def test_an_account_that_nobody_uses_is_forgotten(fake_kms: FakeKms) -> None:
    from signer_aws_kms.accounts import _accounts

    fake_kms.create_key(alias=ALIAS)
    opened().close()
    gc.collect()
    assert not [key for key in _accounts._accounts if fake_kms.endpoint_url in str(key)]


def in_a_child(work: Callable[[], bytes]) -> bytes:
    """What a forked child returns; nothing if it fails."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            os.write(writing, work())
        except BaseException:
            traceback.print_exc()  # whoever waits learns only that there is no result
        finally:
            os._exit(0)
    os.close(writing)
    result = os.read(reading, 100)
    os.waitpid(child, 0)
    os.close(reading)
    return result


def signed_by_a_child(signer: Signer, message: bytes) -> bytes:
    """The signature that a forked child makes; nothing if it makes none."""
    return in_a_child(lambda: signer.sign(message))


def test_a_forked_child_uses_connections_of_its_own(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened() as signer:
        signer.sign(b"message")
        signature = signed_by_a_child(signer, b"from the child")
        signer.public_key.verify(signature, b"from the child")
        signer.sign(b"from the parent")
    assert fake_kms.connections_opened == 2


def test_a_child_forked_while_all_connections_are_busy_signs(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    go, came = threading.Event(), threading.Event()

    def hold(request: faults.Request) -> object:
        came.set()
        return faults.hang(go)(request)

    with opened(max_connections=1) as signer, ThreadPoolExecutor(1) as caller:
        fake_kms.inject(hold, operation="Sign")  # type: ignore[arg-type]
        busy = caller.submit(signer.sign, b"message")
        assert came.wait(PATIENCE)
        signature = signed_by_a_child(signer, b"from the child")
        go.set()
        signer.public_key.verify(signature, b"from the child")
        signer.public_key.verify(busy.result(PATIENCE), b"message")


def test_a_forked_child_uses_tls_connections_of_its_own(tls_kms: FakeKms) -> None:
    with opened() as signer:
        signer.sign(b"message")
        signature = signed_by_a_child(signer, b"from the child")
        signer.public_key.verify(signature, b"from the child")
        signer.sign(b"from the parent")
    assert tls_kms.connections_opened == 2


def test_a_child_forked_while_credentials_are_renewed_has_others(
    fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    patient = {"timeout": PATIENCE, "attempt_timeout": PATIENCE}  # the child makes a client of another service first
    with role(fake_kms, tmp_path, monkeypatch, lifetime=590) as assumed, opened(**patient) as signer:
        assumed.answers.clear()
        signer.sign(b"message")
        assert assumed.hangs.wait(PATIENCE)
        assumed.answers.set()
        fake_kms.remove_identity(assumed.given[0])
        signature = signed_by_a_child(signer, b"from the child")
        signer.public_key.verify(signature, b"from the child")


def test_a_child_forked_while_a_session_of_the_users_own_renews_has_others(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    source = Source(fake_kms, lifetime=3600)

    def renew_and_sign() -> bytes:
        source.gate, source.stale = threading.Event(), True
        source.gate.set()
        return signer.sign(b"from the child")

    with Signer(AwsKmsKey.open(ALIAS, session=source.session()), timeout=10) as signer:
        source.clock.now += 2800
        source.gate.clear()
        signer.sign(b"message")
        assert source.hangs.wait(PATIENCE)
        fake_kms.remove_identity(source.given[0])
        source.given.append(fake_kms.add_identity(session_token="another"))
        signature = in_a_child(renew_and_sign)
        source.gate.set()
        signer.public_key.verify(signature, b"from the child")


def test_a_child_forked_while_an_account_is_opened_opens_its_own(
    fake_kms: FakeKms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kms.create_key(alias=ALIAS)
    parent, came, go = os.getpid(), threading.Event(), threading.Event()

    def slow_in_the_parent(config: AwsKmsConfig) -> object:
        if os.getpid() == parent:
            came.set()
            go.wait(PATIENCE)
        return session_of(config)

    def open_and_sign() -> bytes:
        with opened() as signer:
            return signer.sign(b"from the child")

    monkeypatch.setattr("signer_aws_kms.account.session_of", slow_in_the_parent)
    with ThreadPoolExecutor(1) as caller:
        opening = caller.submit(opened)
        assert came.wait(PATIENCE)
        signature = in_a_child(open_and_sign)
        go.set()
        with opening.result(PATIENCE) as signer:
            signer.public_key.verify(signature, b"from the child")


@pytest.mark.slow
def test_a_hundred_signers_take_less_than_2_mib(fake_kms: FakeKms) -> None:
    """As 10,000 take less than 200 MiB: what they share does not count any more by then."""
    config = options(key_id=fake_kms.create_key(alias=ALIAS).arn)
    signers: list[Signer] = [create_signer(config)]
    tracemalloc.start()
    try:
        signers += [create_signer(config) for _ in range(100)]
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2 * 1024 * 1024
    assert fake_kms.connections_opened == 1
    for signer in signers:
        signer.close()
