"""What Signer's tests do not reach of threads for asyncio."""

import asyncio
import threading

import pytest

from signer_core import Deadline
from signer_core.parallel import Threads, awaited, outcome
from tests.keys import PATIENCE


def test_threads_are_not_started_before_they_are_needed() -> None:
    threads = Threads(3)
    threads.close()
    assert threads._executor is None


def test_call_whose_result_comes_at_the_deadline_is_a_success() -> None:
    """Once it runs, only its own deadline ends it."""
    gate = threading.Event()

    async def main() -> str:
        threads = Threads(1)

        def function() -> str:
            assert gate.wait(PATIENCE)
            return "result"

        asyncio.get_running_loop().call_later(0.01, gate.set)
        return await outcome(threads.submit(function), deadline=Deadline.after(0.001), cancel=threading.Event())

    assert asyncio.run(main()) == "result"


def test_awaited_gives_the_result() -> None:
    async def main() -> str:
        return await awaited(lambda _: "result", cancel=None, unwanted=pytest.fail)

    assert asyncio.run(main()) == "result"


def test_awaited_raises_what_was_raised() -> None:
    def fails(_: threading.Event) -> str:
        raise LookupError("no")

    async def main() -> str:
        return await awaited(fails, cancel=threading.Event(), unwanted=pytest.fail)

    with pytest.raises(LookupError, match="no"):
        asyncio.run(main())


@pytest.mark.parametrize("before", [True, False])
def test_awaited_is_called_off_by_the_caller_s_event(before: bool) -> None:
    entered = threading.Event()
    cancel = threading.Event()

    def waits(called_off: threading.Event) -> bool:
        entered.set()
        return called_off.wait(PATIENCE)

    async def main() -> bool:
        if before:
            cancel.set()
        task = asyncio.create_task(awaited(waits, cancel=cancel, unwanted=pytest.fail))
        await asyncio.to_thread(entered.wait, PATIENCE)
        cancel.set()
        ended: bool = await task
        return ended

    assert asyncio.run(main()) is True


def test_awaited_that_is_cancelled_leaves_the_caller_s_event_alone_and_hands_over_what_nobody_wants() -> None:
    entered, gate, handed_over = threading.Event(), threading.Event(), threading.Event()
    cancel = threading.Event()
    unwanted: list[str] = []

    def waits(called_off: threading.Event) -> str:
        entered.set()
        assert called_off.wait(PATIENCE)
        assert gate.wait(PATIENCE)
        return "unwanted"

    def keep(result: str) -> None:
        unwanted.append(result)
        handed_over.set()

    async def main() -> None:
        task = asyncio.create_task(awaited(waits, cancel=cancel, unwanted=keep))
        await asyncio.to_thread(entered.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())  # the event loop is gone before the result comes
    gate.set()
    assert handed_over.wait(PATIENCE)
    assert unwanted == ["unwanted"]
    assert not cancel.is_set()


def test_awaited_that_is_cancelled_when_it_has_just_failed_or_ended_leaves_no_complaint() -> None:
    complaints: list[object] = []
    unwanted: list[str] = []

    def fails(_: threading.Event) -> str:
        raise LookupError

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        for turns in range(60):
            for function in (fails, lambda _: "result"):
                task = asyncio.create_task(awaited(function, cancel=None, unwanted=unwanted.append))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises((asyncio.CancelledError, LookupError)):
                    await task
                    raise LookupError

    asyncio.run(main())
    assert complaints == []
    assert set(unwanted) <= {"result"}
