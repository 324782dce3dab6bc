"""Many signatures at once: as many requests to KMS as there may be connections, and no more threads than that."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from signer_aws_kms.testing import FakeKms, faults
from signer_aws_kms.testing.answers import Answer
from signer_core import Signer
from tests.keys import PATIENCE, Running, Threads, in_thread, until
from tests.plugins.aws_kms.signers import ALIAS, opened

CONNECTIONS = 5


class Gate(threading.Event):
    """Holds all requests for signatures, which the fake has counted by then."""

    def __init__(self, kms: FakeKms) -> None:
        super().__init__()
        self.kms = kms
        self._before = kms.requests["Sign"]
        kms.inject(self._held, operation="Sign", times=None)

    @property
    def held(self) -> int:
        return self.kms.requests["Sign"] - self._before

    def _held(self, request: faults.Request) -> Answer:
        assert self.wait(PATIENCE)
        return request.proceed()

    def wait_held(self, requests: int) -> None:
        until(lambda: self.held >= requests)


@pytest.fixture
def kms(fake_kms: FakeKms) -> FakeKms:
    fake_kms.create_key(alias=ALIAS)
    return fake_kms


@contextmanager
def held(kms: FakeKms, **more: object) -> Iterator[tuple[Signer, Gate]]:
    """A signer with few connections, whose signatures all wait."""
    with opened(max_connections=CONNECTIONS, timeout=PATIENCE, attempt_timeout=PATIENCE, **more) as signer:
        gate = Gate(kms)
        try:
            yield signer, gate
        finally:
            gate.set()


def messages(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def verify(signer: Signer, signatures: list[bytes]) -> None:
    for signature, message in zip(signatures, messages(len(signatures)), strict=True):
        signer.public_key.verify(signature, message)


def test_sign_many_keeps_all_connections_busy(kms: FakeKms) -> None:
    threads = Threads()
    with held(kms) as (signer, gate):
        signing = in_thread(lambda: signer.sign_many(messages(4 * CONNECTIONS)))
        gate.wait_held(CONNECTIONS)
        assert len(threads) == CONNECTIONS
        gate.set()
        verify(signer, signing.result())
        assert kms.connections_open == CONNECTIONS


def test_sign_iter_keeps_all_connections_busy(kms: FakeKms) -> None:
    threads = Threads()
    with held(kms) as (signer, gate):
        signing = in_thread(lambda: list(itertools.islice(signer.sign_iter(map(b"%d".__mod__, itertools.count())), 50)))
        gate.wait_held(CONNECTIONS)
        assert len(threads) == CONNECTIONS - 1
        gate.set()
        verify(signer, signing.result())
        assert kms.connections_open == CONNECTIONS


def test_few_messages_start_few_threads(kms: FakeKms) -> None:
    threads = Threads()
    with held(kms) as (signer, gate):
        signing = in_thread(lambda: signer.sign_many(messages(2)))
        gate.wait_held(2)
        assert len(threads) == 2
        gate.set()
        verify(signer, signing.result())


def test_a_thousand_awaited_calls_share_the_connections_and_leave_the_event_loop_free(kms: FakeKms) -> None:
    threads = Threads()

    async def main(signer: Signer, gate: Gate) -> list[bytes]:
        tasks = [asyncio.create_task(signer.sign_async(message)) for message in messages(1000)]
        await asyncio.to_thread(gate.wait_held, CONNECTIONS)
        assert len(threads) == CONNECTIONS
        gate.set()  # from the event loop, which nothing holds up
        return await asyncio.gather(*tasks)

    with held(kms) as (signer, gate):
        verify(signer, asyncio.run(main(signer, gate)))
    assert kms.connections_opened <= CONNECTIONS


def test_a_thousand_cancelled_calls_ask_kms_for_no_more(kms: FakeKms) -> None:
    async def main(signer: Signer, gate: Gate) -> None:
        tasks = [asyncio.create_task(signer.sign_async(message)) for message in messages(1000)]
        await asyncio.to_thread(gate.wait_held, CONNECTIONS)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in outcomes} == {asyncio.CancelledError}

    with held(kms) as (signer, gate):
        asyncio.run(main(signer, gate))
        gate.set()
        signer.sign(b"message")
        assert gate.held == CONNECTIONS + 1


def test_callers_with_and_without_await_take_turns(kms: FakeKms) -> None:
    """A call from a thread waits for the connections in use, and not for all awaited calls that came before."""

    async def main(signer: Signer, gate: Gate) -> int:
        tasks = [asyncio.create_task(signer.sign_async(message)) for message in messages(200)]
        await asyncio.to_thread(gate.wait_held, CONNECTIONS)
        calls = [in_thread(lambda: signer.sign(b"from a thread")) for _ in range(2)]
        pool = signer._key.open_key.key._account.pool  # type: ignore[attr-defined]
        await asyncio.to_thread(until, lambda: len(pool._waiting) == len(calls))
        gate.set()
        await asyncio.to_thread(lambda: [call.result() for call in calls])
        served = gate.held
        await asyncio.gather(*tasks)
        return served

    with held(kms) as (signer, gate):
        assert asyncio.run(main(signer, gate)) < 150


def test_two_signers_of_one_account_do_not_starve_each_other(kms: FakeKms) -> None:
    kms.create_key(alias="alias/other")

    def all_of(signer: Signer) -> Running:
        async def main() -> list[bytes]:
            return await asyncio.gather(*(signer.sign_async(message) for message in messages(100)))

        return in_thread(lambda: asyncio.run(main()))

    with ExitStack() as stack:
        first, gate = stack.enter_context(held(kms))
        second = stack.enter_context(
            opened(key_id="alias/other", max_connections=CONNECTIONS, timeout=PATIENCE, attempt_timeout=PATIENCE)
        )
        pool = first._key.open_key.key._account.pool  # type: ignore[attr-defined]
        greedy = all_of(first)
        gate.wait_held(CONNECTIONS)
        modest = all_of(second)
        until(lambda: len(pool._waiting) == CONNECTIONS)  # those of the second signer's threads
        gate.set()
        verify(first, greedy.result())
        verify(second, modest.result())
    served = [each.parameters["KeyId"] for each in kms.received if each.operation == "Sign"]
    assert 20 <= served[:100].count(second.key_id) <= 80
    assert kms.connections_opened <= CONNECTIONS
