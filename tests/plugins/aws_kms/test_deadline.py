"""No call outlasts its deadline by more than a quarter of a second, whatever hangs; a cancelled one stops."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from signer_aws_kms.dialer import Dialer
from signer_aws_kms.route import Route
from signer_aws_kms.testing import FakeKms, faults
from signer_core import Deadline, Signer, create_signer
from signer_core.errors import DeadlineExceededError, SignCancelledError, SignError
from tests.plugins.aws_kms.peers import BUDGET, PATIENCE, Measured, peer, request_from, silent
from tests.plugins.aws_kms.signers import ALIAS, opened, options


def dripping(connection: socket.socket) -> None:
    request_from(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.05)


def dripping_from_the_start(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\x16")
        threading.Event().wait(0.05)


@pytest.mark.parametrize("fault", [faults.hang(), faults.drip(0.1)], ids=["hangs", "drips"])
def test_signing_ends_in_time_when_the_server(fake_kms: FakeKms, fault: faults.Fault) -> None:
    fake_kms.create_key(alias=ALIAS)
    with create_signer(options()) as signer:
        fake_kms.inject(fault, operation="Sign", times=None)
        with Measured(), pytest.raises(DeadlineExceededError, match="KMS Sign of arn"):
            signer.sign(b"message", timeout=BUDGET)


def test_an_attempt_ends_in_time_and_the_next_one_signs(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with create_signer(options(attempt_timeout="100ms")) as signer:
        fake_kms.inject(faults.hang(), operation="Sign")
        signer.sign(b"message")


@pytest.mark.parametrize("script", [silent, dripping], ids=["hangs", "drips"])
def test_opening_ends_in_time_when_the_server(fake_kms: FakeKms, script: Any) -> None:
    with peer(script) as server, Measured(), pytest.raises(DeadlineExceededError):
        create_signer(options(endpoint_url=f"http://127.0.0.1:{server.port}"), timeout=BUDGET)


@pytest.mark.parametrize("script", [silent, dripping_from_the_start], ids=["hangs", "drips"])
def test_opening_ends_in_time_when_the_tls_handshake(fake_kms: FakeKms, script: Any) -> None:
    with peer(script) as server, Measured(), pytest.raises(SignError):
        create_signer(options(endpoint_url=f"https://127.0.0.1:{server.port}"), timeout=BUDGET)


def test_opening_ends_in_time_when_the_proxy_hangs(fake_kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    with peer(silent) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("AWS_ENDPOINT_URL_KMS")
        with Measured(), pytest.raises(DeadlineExceededError):
            create_signer(options(), timeout=BUDGET)


def test_opening_ends_in_time_when_nobody_takes_the_connection(fake_kms: FakeKms) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as full:
        port = full.getsockname()[1]
        waiting = []
        for _ in range(8):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        with Measured(), pytest.raises(DeadlineExceededError):
            create_signer(options(endpoint_url=f"http://127.0.0.1:{port}"), timeout=BUDGET)
        for each in waiting:
            each.close()


def test_opening_ends_in_time_when_the_resolver_hangs(fake_kms: FakeKms) -> None:
    over = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(PATIENCE))
        with Measured(), pytest.raises(DeadlineExceededError):
            create_signer(options(endpoint_url="https://kms.example.com"), timeout=BUDGET)
        over.set()


def test_a_resolver_that_hangs_is_not_asked_again_meanwhile(fake_kms: FakeKms) -> None:
    over, asked = threading.Event(), []

    def resolve(*_: object, **__: object) -> list[object]:
        asked.append(1)
        over.wait(PATIENCE)
        return []

    dialer = Dialer(Route.to("https://kms.example.com"), ssl.create_default_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        for _ in range(3):
            with pytest.raises(DeadlineExceededError):
                dialer.open(Deadline.after(0.05))
        over.set()
    assert len(asked) == 1


def test_an_event_that_is_set_already_makes_no_call(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    cancel = threading.Event()
    cancel.set()
    with opened() as signer, pytest.raises(SignCancelledError):
        signer.sign(b"message", cancel=cancel)
    assert fake_kms.requests["Sign"] == 0


def test_cancelling_ends_a_pause_at_once_and_starts_no_attempt(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    cancel = threading.Event()
    with create_signer(options(timeout=PATIENCE)) as signer:

        def throttle_and_cancel(request: faults.Request) -> Any:
            threading.Timer(0.05, cancel.set).start()
            return faults.throttle(retry_after=20)(request)

        fake_kms.inject(throttle_and_cancel, operation="Sign", times=None)
        with Measured(), pytest.raises(SignCancelledError):
            signer.sign(b"message", cancel=cancel)
    assert fake_kms.requests["Sign"] == 1


def test_a_cancelled_task_makes_no_further_attempt(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    came = threading.Event()

    def throttle(request: faults.Request) -> Any:
        came.set()
        return faults.throttle(retry_after=5)(request)

    async def cancelled() -> None:
        with create_signer(options(timeout=PATIENCE)) as signer:
            fake_kms.inject(throttle, operation="Sign", times=None)
            task = asyncio.create_task(signer.sign_async(b"message"))
            await asyncio.to_thread(came.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert fake_kms.requests["Sign"] == 1


def test_a_call_that_hung_leaves_no_connection_behind(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    with opened(max_connections=1) as signer:
        fake_kms.inject(faults.hang(), operation="Sign")
        with pytest.raises(DeadlineExceededError):
            signer.sign(b"message", timeout=0.1)
        signer.sign(b"message", timeout=PATIENCE)
    assert fake_kms.connections_opened == 2


def test_a_cancelled_attempt_that_has_its_answer_gives_the_connection_back(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    came, go = threading.Event(), threading.Event()

    def hold(request: faults.Request) -> Any:
        came.set()
        go.wait(PATIENCE)
        return request.proceed()

    async def cancelled(signer: Signer) -> None:
        task = asyncio.create_task(signer.sign_async(b"message"))
        await asyncio.to_thread(came.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with opened(max_connections=1) as signer:
        fake_kms.inject(hold, operation="Sign")
        asyncio.run(cancelled(signer))
        go.set()
        signer.sign(b"message")  # waits for the connection
    assert fake_kms.connections_opened == 1


def test_a_cancelled_attempt_that_has_no_answer_closes_its_connection(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    cancel = threading.Event()

    def cancel_and_hang(request: faults.Request) -> Any:
        cancel.set()
        return faults.hang()(request)

    with create_signer(options(timeout=PATIENCE, attempt_timeout="100ms", max_connections=1)) as signer:
        fake_kms.inject(cancel_and_hang, operation="Sign")
        with Measured(), pytest.raises(SignCancelledError):
            signer.sign(b"message", cancel=cancel)
        signer.sign(b"message")
    assert fake_kms.requests["Sign"] == 2
    assert fake_kms.connections_opened == 2


@contextlib.contextmanager
def busy(kms: FakeKms, signer: Signer) -> Iterator[None]:
    """A call that is under way for as long as the block."""
    came, go = threading.Event(), threading.Event()

    def hold(request: faults.Request) -> Any:
        came.set()
        go.wait(PATIENCE)
        return request.proceed()

    with ThreadPoolExecutor(1) as caller:
        kms.inject(hold, operation="Sign")
        call = caller.submit(signer.sign, b"message")
        try:
            assert came.wait(PATIENCE)
            yield
        finally:
            go.set()
        call.result(PATIENCE)


def test_a_call_that_is_cancelled_while_it_waits_for_a_connection_leaves_the_queue(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    cancel = threading.Event()
    with opened(max_connections=1) as signer:
        with busy(fake_kms, signer):
            threading.Timer(0.05, cancel.set).start()
            with Measured(), pytest.raises(SignCancelledError):
                signer.sign(b"message", cancel=cancel)
        signer.sign(b"message")
    assert fake_kms.connections_opened == 1


def test_a_call_for_which_no_connection_becomes_free_says_so(fake_kms: FakeKms) -> None:
    fake_kms.create_key(alias=ALIAS)
    told = pytest.raises(DeadlineExceededError, match=r"connections were busy; raise max_connections")
    with opened(max_connections=1) as signer, busy(fake_kms, signer), Measured(), told:
        signer.sign(b"message", timeout=BUDGET)
    assert fake_kms.requests["Sign"] == 1
