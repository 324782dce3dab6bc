"""sign_async under load: many pending calls, several event loops, cancellation, closing, and a fork."""

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from signer_core import Deadline, Signer
from tests.keys import PATIENCE, Ed25519Key, GatedKey, ScriptedKey, Threads, in_child, in_thread

MANY = 1000


def signature_of(message: bytes) -> bytes:
    return Ed25519Key().private_key.sign(message)


def pending(signer: Signer, count: int = MANY) -> "list[asyncio.Task[bytes]]":
    return [asyncio.create_task(signer.sign_async(b"%d" % number)) for number in range(count)]


def test_a_thousand_pending_calls_have_few_threads_and_leave_the_event_loop_free() -> None:
    threads = Threads()
    key = GatedKey()
    signer = Signer(key, concurrency=4)

    async def main() -> list[bytes]:
        tasks = pending(signer)
        await asyncio.to_thread(key.wait_entered, 4)
        assert (key.inside, len(threads)) == (4, 4)
        key.gate.set()  # by a task of the loop, while all calls are pending
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [signature_of(b"%d" % number) for number in range(MANY)]
    assert key.most_inside == 4


def test_first_come_first_served() -> None:
    order: list[bytes] = []

    def note(message: bytes, _: Deadline) -> bytes:
        order.append(message)
        return signature_of(message)

    signer = Signer(ScriptedKey([note] * 100), concurrency=1)

    async def main() -> None:
        await asyncio.gather(*pending(signer, 100))

    asyncio.run(main())
    assert order == [b"%d" % number for number in range(100)]


def test_digests_wait_in_the_same_line() -> None:
    """One thread for messages and digests alike; a digest that this key does not sign fails in its turn."""
    key = GatedKey()
    signer = Signer(key, concurrency=1)

    async def main() -> list[Any]:
        tasks = [*pending(signer, 3), asyncio.create_task(signer.sign_digest_async(b"digest"))]
        await asyncio.to_thread(key.wait_entered, 1)
        assert not any(task.done() for task in tasks)
        key.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    *signatures, refusal = asyncio.run(main())
    assert signatures == [signature_of(b"%d" % number) for number in range(3)]
    assert isinstance(refusal, Exception)


def test_cancelling_a_thousand_pending_calls_ends_at_once_and_leaves_nothing() -> None:
    threads = Threads()
    key = GatedKey()
    signer = Signer(key, concurrency=2)

    async def main() -> list[Any]:
        tasks = pending(signer)
        await asyncio.to_thread(key.wait_entered, 2)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)  # while the two that began are still inside
        assert key.inside == 2
        return outcomes

    outcomes = asyncio.run(main())
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
    key.gate.set()
    signer.close()
    assert key.closed == 1
    assert len(key.deadlines) == 2
    threads.wait_ended()


def test_several_event_loops_share_one_signer() -> None:
    threads = Threads()
    signer = Signer(Ed25519Key(), concurrency=2)

    async def main() -> list[bytes]:
        return await asyncio.gather(*pending(signer, 50))

    loops = [in_thread(lambda: asyncio.run(main())) for _ in range(4)]
    for loop in loops:
        assert loop.result() == [signature_of(b"%d" % number) for number in range(50)]
    assert len(threads) <= 2
    signer.close()


def test_event_loop_that_is_gone_takes_no_harm_from_a_late_outcome() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=1)

    async def main() -> None:
        pending(signer, 3)
        await asyncio.to_thread(key.wait_entered, 1)

    asyncio.run(main())  # which cancels them
    key.gate.set()
    signer.close()
    assert key.closed == 1


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def test_each_task_has_its_own_context_variables() -> None:
    seen: dict[bytes, str] = {}

    def see(message: bytes, _: Deadline) -> bytes:
        seen[message] = VARIABLE.get()
        return signature_of(message)

    signer = Signer(ScriptedKey([see] * 20), concurrency=2)

    async def one(name: str) -> None:
        VARIABLE.set(name)
        await signer.sign_async(name.encode())

    async def main() -> None:
        await asyncio.gather(*[one(f"task {number}") for number in range(20)])

    asyncio.run(main())
    assert seen == {name.encode(): name for name in (f"task {number}" for number in range(20))}


def test_closing_waits_for_pending_calls_beside_the_event_loop() -> None:
    """In a thread of its own: those of the event loop's may all be in use."""
    key = GatedKey()
    busy = threading.Event()

    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()
        from concurrent.futures import ThreadPoolExecutor

        loop.set_default_executor(ThreadPoolExecutor(1))
        hogging = loop.run_in_executor(None, busy.wait, PATIENCE)
        async with Signer(key, concurrency=2) as signer:
            tasks = pending(signer, 10)
            await asyncio.sleep(0)
            key.wait_entered(2)
            asyncio.get_running_loop().call_later(0.01, key.gate.set)  # no harm if the close comes later than that
        signatures = await asyncio.gather(*tasks)
        busy.set()
        assert await hogging
        return signatures

    assert asyncio.run(main()) == [signature_of(b"%d" % number) for number in range(10)]
    assert key.closed == 1


def test_error_of_closing_comes_out_of_async_with() -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError

    async def main() -> None:
        async with Signer(Stuck()):
            pass

    with pytest.raises(Exception, match=r"Stuck\.close raised OSError"):
        asyncio.run(main())


def test_child_signs_though_the_parent_had_pending_calls() -> None:
    key = GatedKey()
    signer = Signer(key, concurrency=2)

    def child() -> None:
        key.gate.set()
        assert asyncio.run(signer.sign_async(b"abc")) == signature_of(b"abc")
        signer.close()

    async def main() -> list[bytes]:
        tasks = pending(signer, 20)
        await asyncio.to_thread(key.wait_entered, 2)
        # forks in another thread, for an event loop does not run inside another
        assert await asyncio.to_thread(in_child, child) == 0
        key.gate.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [signature_of(b"%d" % number) for number in range(20)]
