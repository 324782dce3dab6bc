"""A second attempt beside a first that is slow: who wins, what fails, who is told to stop, how many there are."""

import asyncio
import contextvars
import logging
import math
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm, Deadline, Secret, Signer, SignEvent, create_signer, hookimpl, init_signer, race
from signer_core.algorithms import FACTS
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    PluginContractError,
    SignatureVerificationError,
    SignCancelledError,
)
from signer_core.race import BURST, FIRST_FOR_A_SECOND, Budget
from signer_noop import NoopKey
from tests.conftest import WORKING, Install
from tests.keys import (
    PATIENCE,
    SEED,
    Clock,
    Ed25519Key,
    GatedKey,
    RenewingKey,
    Running,
    ScriptedKey,
    in_child,
    in_thread,
    refuses_calls,
    until,
)
from tests.strategies import private_key

#: Seconds: an attempt that waits for anything else has given no answer by then.
SOON = 0.001
#: An attempt that ends is over before.
NEVER = 3600.0
#: What all keys here return, unless told otherwise.
RIGHT = Ed25519Key().private_key.sign(b"message")
WRONG = b"x" * 64

ECDSA = Algorithm.ECDSA_P256_SHA256

Step = Callable[[bytes, Deadline], bytes]


class Logged(logging.Handler):
    """Tells what the library logged, and that it did."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self.expected: dict[str, threading.Event] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self.lines.append((record.levelname, text))
        for start, happened in self.expected.items():
            if text.startswith(start):
                happened.set()

    def line(self, start: str) -> threading.Event:
        """Set once a line is logged that begins so."""
        return self.expected.setdefault(start, threading.Event())


@pytest.fixture
def logged() -> Iterator[Logged]:
    logger = logging.getLogger("signer_core")
    handler, level = Logged(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


class Slow:
    """An attempt that waits until it is let go, or told to stop; then it returns or raises ``outcome``."""

    def __init__(self, outcome: Any = RIGHT, *, let_go: threading.Event | None = None) -> None:
        self.outcome = outcome
        self.entered = threading.Event()
        self.let_go = threading.Event() if let_go is None else let_go
        self.stopped = threading.Event()

    def __call__(self, _: bytes, deadline: Deadline) -> bytes:
        self.entered.set()
        if not deadline.wait(self.let_go, PATIENCE):
            self.stopped.set()
            deadline.check()
            raise AssertionError("neither let go nor told to stop")
        return ended(self.outcome)


class Deaf(Slow):
    """One that does not look whether it is told to stop."""

    def __call__(self, _: bytes, __: Deadline) -> bytes:
        self.entered.set()
        assert self.let_go.wait(PATIENCE)
        return ended(self.outcome)


def ended(outcome: Any) -> bytes:
    if isinstance(outcome, BaseException):
        raise outcome
    result: bytes = outcome
    return result


def after(event: threading.Event, outcome: Any) -> Step:
    """An attempt that ends so once the event has happened."""

    def step(_: bytes, __: Deadline) -> bytes:
        assert event.wait(PATIENCE)
        return ended(outcome)

    return step


def hedged(*script: Any, hedge_after: float = SOON, **options: Any) -> tuple[Signer, ScriptedKey]:
    key = ScriptedKey(script)
    return Signer(key, hedge_after=hedge_after, jitter=lambda _: 0.0, **options), key


# --- who wins --------------------------------------------------------------------------------------------------------


def test_second_attempt_wins_and_the_first_is_told_to_stop() -> None:
    first = Slow()
    signer, key = hedged(first)
    with signer:
        assert signer.sign(b"message") == RIGHT
        assert first.stopped.wait(PATIENCE)
    assert len(key.deadlines) == 2


def test_first_attempt_wins_and_the_second_is_told_to_stop() -> None:
    second = Slow()
    signer, _ = hedged(after(second.entered, RIGHT), second)
    with signer:
        assert signer.sign(b"message") == RIGHT
        assert second.stopped.wait(PATIENCE)


def test_attempt_that_answers_in_time_gets_no_second_one() -> None:
    signer, key = hedged(hedge_after=NEVER)
    with signer:
        assert [signer.sign(b"message") for _ in range(3)] == [RIGHT] * 3
    assert len(key.deadlines) == 3


@pytest.mark.parametrize("wrong_first", [True, False])
def test_wrong_signature_does_not_win_while_the_other_attempt_may(logged: Logged, *, wrong_first: bool) -> None:
    right = Slow(let_go=logged.line("one of two attempts failed"))
    wrong = after(right.entered, WRONG)
    signer, _ = hedged(*([wrong, right] if wrong_first else [right, wrong]))
    with signer:
        assert signer.sign(b"message") == RIGHT
    [warning] = [text for level, text in logged.lines if level == "WARNING"]
    assert warning.startswith("one of two attempts failed: the backend returned a signature that does not verify")


def test_second_attempt_is_logged_for_information(logged: Logged) -> None:
    signer, _ = hedged(Slow())
    with signer:
        signer.sign(b"message")
    assert logged.lines == [("INFO", "no answer in 0.001s: a second attempt runs beside the first")]


def test_local_key_is_verified_too_where_it_is_hedged() -> None:
    signer = create_signer({"backend": "noop", "seed": SEED.hex(), "hedge_after": "1h"})
    with signer:
        assert signer.sign(b"message") == RIGHT
    signer, _ = hedged(WRONG, hedge_after=NEVER)
    with signer, pytest.raises(SignatureVerificationError):
        signer.sign(b"message")


# --- what fails ------------------------------------------------------------------------------------------------------


def test_attempt_that_fails_in_time_is_tried_again_as_any_other() -> None:
    signer, key = hedged(BackendUnavailableError("down"), hedge_after=NEVER, max_retries=1)
    with signer:
        assert signer.sign(b"message") == RIGHT
    assert len(key.deadlines) == 2


@pytest.mark.parametrize("error", [AccessDeniedError("no"), BackendUnavailableError("down"), GeneratorExit()])
def test_attempt_that_fails_in_time_fails_the_call(error: BaseException) -> None:
    signer, key = hedged(error, hedge_after=NEVER)
    with signer, pytest.raises(type(error)) as caught:
        signer.sign(b"message")
    assert caught.value is error
    assert len(key.deadlines) == 1


@pytest.mark.parametrize("fails", [AccessDeniedError("no"), BackendUnavailableError("down"), RuntimeError("hunter2")])
@pytest.mark.parametrize("first_fails", [True, False])
def test_failure_of_one_waits_for_the_other(logged: Logged, fails: BaseException, *, first_fails: bool) -> None:
    signs = Slow(let_go=logged.line("one of two attempts failed"))
    failing = after(signs.entered, fails)
    signer, key = hedged(*([failing, signs] if first_fails else [signs, failing]))
    with signer:
        assert signer.sign(b"message") == RIGHT
    assert len(key.deadlines) == 2
    assert "hunter2" not in str(logged.lines)


def down(text: str, **options: Any) -> BackendUnavailableError:
    return BackendUnavailableError(text, **options)


@pytest.mark.parametrize(
    ("earlier", "later", "raised", "other"),
    [
        (down("earlier"), down("later"), "earlier", "later"),
        (AccessDeniedError("denied"), down("later"), "denied", "later"),
        (down("earlier"), AccessDeniedError("denied"), "denied", "earlier"),
        (AccessDeniedError("denied"), PluginContractError("broken"), "denied", "broken"),
        (down("earlier"), down("throttled", retry_after=7), "throttled", "earlier"),
        (down("throttled", retry_after=7), down("later", retry_after=5), "throttled", "later"),
        (down("earlier", retry_after="soon"), down("later"), "earlier", "later"),
        (down("earlier"), GeneratorExit(), "", "earlier"),
    ],
)
@pytest.mark.parametrize("first_fails_later", [True, False])
def test_graver_error_of_two(
    logged: Logged, earlier: Any, later: Any, raised: str, other: str, *, first_fails_later: bool
) -> None:
    earlier.__notes__ = []
    later.__notes__ = []
    last = Slow(later, let_go=logged.line("one of two attempts failed"))
    soon = after(last.entered, earlier)
    signer, key = hedged(*([last, soon] if first_fails_later else [soon, last]))
    with signer, pytest.raises(BaseException) as caught:
        signer.sign(b"message")
    assert str(caught.value) == raised
    assert caught.value.__notes__ == [f"the other attempt: {other}"]
    assert len(key.deadlines) == 2


def test_two_attempts_that_failed_are_one_that_is_tried_again(logged: Logged) -> None:
    last = Slow(down("later"), let_go=logged.line("one of two attempts failed"))
    signer, key = hedged(last, down("earlier"), max_retries=1)
    with signer:
        assert signer.sign(b"message") == RIGHT
    assert key.script == []
    assert ("INFO", "attempt 1 of 2 failed: earlier; the next one in 0s") in logged.lines


def test_denied_access_is_not_tried_again(logged: Logged) -> None:
    last = Slow(down("later"), let_go=logged.line("one of two attempts failed"))
    signer, key = hedged(last, AccessDeniedError("denied"), max_retries=5)
    with signer, pytest.raises(AccessDeniedError):
        signer.sign(b"message")
    assert len(key.deadlines) == 2


# --- deadlines and cancellation --------------------------------------------------------------------------------------


def test_attempt_timeout_bounds_each_of_the_two() -> None:
    clock, left = Clock(), []
    entered = threading.Event()

    def first(_: bytes, deadline: Deadline) -> bytes:
        left.append(deadline.remaining())
        clock.advance(2)
        return after(entered, RIGHT)(_, deadline)

    def second(_: bytes, deadline: Deadline) -> bytes:
        left.append(deadline.remaining())
        entered.set()
        return RIGHT

    signer, _ = hedged(first, second, attempt_timeout=3, timeout=10, clock=clock)
    with signer:
        signer.sign(b"message")
        assert left == [3, 3]
        signer, _ = hedged(first, second, attempt_timeout=3, timeout=4, clock=clock)
    entered.clear()
    with signer:
        signer.sign(b"message")
        assert left[2:] == [3, 2]


def test_deadline_of_the_call_ends_both(logged: Logged) -> None:
    clock = Clock()

    def second(_: bytes, deadline: Deadline) -> bytes:
        clock.advance(10)
        deadline.check()
        raise AssertionError("in time")

    def first(_: bytes, deadline: Deadline) -> bytes:
        assert logged.line("one of two attempts failed").wait(PATIENCE)
        deadline.check()
        raise AssertionError("in time")

    signer, key = hedged(first, second, max_retries=3, timeout=10, clock=clock)
    with signer, pytest.raises(DeadlineExceededError, match="no success within 10s: 1 attempt in 10s"):
        signer.sign(b"message")
    assert len(key.deadlines) == 2


def test_cancellation_ends_both_and_the_call(logged: Logged) -> None:
    cancel, first = threading.Event(), Slow()
    second = Slow()
    signer, key = hedged(first, second, max_retries=3)
    with signer:
        call = in_thread(lambda: signer.sign(b"message", cancel=cancel))
        assert first.entered.wait(PATIENCE)
        assert second.entered.wait(PATIENCE)
        cancel.set()
        with pytest.raises(SignCancelledError, match="the call was cancelled"):
            call.result()
    assert first.stopped.is_set()
    assert second.stopped.is_set()
    assert len(key.deadlines) == 2
    assert logged.lines == [("INFO", "no answer in 0.001s: a second attempt runs beside the first")]


def test_sleep_in_an_attempt_ends_with_the_call_or_when_the_other_has_won() -> None:
    signer, _ = hedged(lambda _, deadline: deadline.sleep(PATIENCE))
    with signer:
        assert signer.sign(b"message", cancel=threading.Event()) == RIGHT
    cancel = threading.Event()

    def cancelled(_: bytes, deadline: Deadline) -> bytes:
        cancel.set()
        deadline.sleep(PATIENCE)
        raise AssertionError("not called off")

    signer, _ = hedged(cancelled, hedge_after=NEVER)
    with signer, pytest.raises(SignCancelledError):
        signer.sign(b"message", cancel=cancel)


def test_interrupt_ends_the_call_and_tells_its_attempt_to_stop() -> None:
    slow, interrupted = Slow(), threading.Event()

    def interrupt() -> None:
        """Again and again: CPython sleeps through a signal that comes just before it begins to wait for a lock."""
        assert slow.entered.wait(PATIENCE)
        while not interrupted.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def once(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, once)
    interrupting = in_thread(interrupt)
    signer, _ = hedged(slow, hedge_after=NEVER)
    with signer:
        with pytest.raises(KeyboardInterrupt):
            signer.sign(b"message")
        interrupting.result()
        signal.signal(signal.SIGINT, before)
        assert slow.stopped.wait(PATIENCE)
        assert signer.sign(b"message") == RIGHT


# --- closing, renewal, fork ------------------------------------------------------------------------------------------


def test_close_waits_for_an_attempt_that_lost() -> None:
    loser = Deaf()
    signer, key = hedged(loser)
    signer.sign(b"message")
    closing = in_thread(signer.close)
    until(lambda: refuses_calls(signer))
    assert (closing.is_over, key.closed) == (False, 0)
    loser.let_go.set()
    closing.result()
    assert key.closed == 1


def test_key_that_was_replaced_is_closed_when_its_attempt_that_lost_has_ended() -> None:
    clock, loser, new = Clock(), Deaf(), Ed25519Key(key_id="new")

    class Replaced(ScriptedKey, RenewingKey):
        pass

    key = Replaced([loser], renewal=lambda _: new)
    with Signer(key, hedge_after=SOON, clock=clock) as signer:
        assert signer.sign(b"message") == RIGHT
        clock.advance(10)
        assert signer.sign(b"message") == RIGHT
        assert (signer.key_id, key.closed) == ("new", 0)
        loser.let_go.set()
        assert key.was_closed.wait(PATIENCE)


def test_attempts_that_begin_while_the_key_is_being_closed_hold_it_too() -> None:
    begun, loser = threading.Event(), Deaf()
    fails = after(begun, down("again"))
    signer, key = hedged(fails, fails, loser, max_retries=1)
    call = in_thread(lambda: signer.sign(b"message"))
    until(lambda: len(key.deadlines) == 2)
    closing = in_thread(signer.close)
    until(lambda: refuses_calls(signer))
    begun.set()
    assert call.result() == RIGHT
    assert (closing.is_over, key.closed) == (False, 0)
    loser.let_go.set()
    closing.result()
    assert key.closed == 1


def test_key_of_another_algorithm_is_not_taken_over(logged: Logged) -> None:
    clock = Clock()
    other = NoopKey(private_key(ECDSA), ECDSA, reopens=True)
    key = RenewingKey(lambda _: other)
    with Signer(key, hedge_after=NEVER, clock=clock) as signer:
        clock.advance(10)
        assert signer.sign(b"message") == RIGHT
        assert signer.algorithm == Algorithm.ED25519
    (warning,) = [text for level, text in logged.lines if level == "WARNING"]
    assert warning.startswith("the key could not be renewed, and the last good one stays in use: option 'hedge_after'")


def test_child_after_fork_has_threads_and_a_budget_of_its_own() -> None:
    loser = Deaf()
    signer, key = hedged(loser)
    with signer:
        assert signer.sign(b"message") == RIGHT

        def child() -> None:
            first = Slow()
            key.script.append(first)
            assert signer.sign(b"message") == RIGHT
            assert first.stopped.wait(PATIENCE)
            signer.close()  # not waiting for the loser, which the parent has
            assert key.closed == 1

        assert in_child(child) == 0
        loser.let_go.set()


def test_threads_end_when_the_signer_is_closed() -> None:
    before = set(threading.enumerate())
    signer, _ = hedged(Slow())
    with signer:
        signer.sign(b"message")
        threads = set(threading.enumerate()) - before
        assert len(threads) == 2
    for each in threads:
        each.join(PATIENCE)
        assert not each.is_alive()


EXIT = """
import sys
from signer_core import Signer
from tests.keys import Ed25519Key, ScriptedKey
def hang(_, deadline):
    deadline = deadline.__class__.after(deadline.remaining())  # one that only time ends
    deadline.sleep(60)
signer = Signer(ScriptedKey([hang]), hedge_after=0.001, attempt_timeout=0.2)
signer.sign(b"message")
print("signed", flush=True)
"""


def test_end_of_the_program_waits_for_an_attempt_that_lost_until_its_timeout() -> None:
    done = subprocess.run([sys.executable, "-c", EXIT], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "signed\n", "")


# --- what an application sees of it ----------------------------------------------------------------------------------


class Told:
    def __init__(self) -> None:
        self.events: list[SignEvent] = []
        self.outcomes: list[tuple[bytes | None, Exception | None]] = []
        self.threads: list[threading.Thread] = []

    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> None:
        self.events.append(event)
        self.threads.append(threading.current_thread())

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        assert event is self.events[-1]
        self.outcomes.append((signature, error))
        self.threads.append(threading.current_thread())


def test_extensions_are_told_of_one_event_in_the_thread_of_the_call() -> None:
    told = Told()
    signer, key = hedged(Slow(), extensions={"told": told})
    with signer:
        signer.sign(b"message")
    assert (len(told.events), told.outcomes) == (1, [(RIGHT, None)])
    assert told.threads == [threading.current_thread()] * 2
    assert len(key.deadlines) == 2


def test_context_variables_carry_over_to_both_attempts() -> None:
    variable = contextvars.ContextVar("variable", default="lost")
    seen = []
    entered = threading.Event()

    def first(_: bytes, deadline: Deadline) -> bytes:
        seen.append(variable.get())
        return after(entered, RIGHT)(_, deadline)

    def second(_: bytes, deadline: Deadline) -> bytes:
        seen.append(variable.get())
        entered.set()
        return RIGHT

    signer, _ = hedged(first, second)
    variable.set("kept")
    with signer:
        signer.sign(b"message")
        assert seen == ["kept", "kept"]


def test_sign_async_is_hedged() -> None:
    first = Slow()
    signer, key = hedged(first)
    with signer:
        assert asyncio.run(signer.sign_async(b"message")) == RIGHT
        assert first.stopped.wait(PATIENCE)
    assert len(key.deadlines) == 2


def test_task_that_is_cancelled_stops_both_attempts() -> None:
    first, second = Slow(), Slow()
    signer, _ = hedged(first, second)

    async def cancelled() -> None:
        task = asyncio.create_task(signer.sign_async(b"message"))
        assert await asyncio.to_thread(second.entered.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with signer:
        asyncio.run(cancelled())
        assert first.stopped.wait(PATIENCE)
        assert second.stopped.wait(PATIENCE)


def test_batches_are_hedged() -> None:
    signer, key = hedged(Slow())
    with signer:
        assert signer.sign_many([b"message"] * 3, concurrency=3, timeout=PATIENCE) == [RIGHT] * 3
    assert len(key.deadlines) >= 4


@pytest.mark.parametrize("algorithm", [each for each, facts in FACTS.items() if facts.deterministic])
def test_deterministic_algorithms_are_hedged_digests_too(algorithm: Algorithm) -> None:
    class SlowAtFirst(NoopKey):
        asked = 0

        def slow(self, deadline: Deadline) -> None:
            self.asked += 1
            if self.asked % 2:
                deadline.sleep(PATIENCE)

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            self.slow(deadline)
            return super().sign(message, deadline)

        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            self.slow(deadline)
            return super().sign_digest(digest, deadline)

    key = SlowAtFirst(private_key(algorithm), algorithm, reopens=True)
    with Signer(key, hedge_after=SOON) as signer:
        signer.public_key.verify(signer.sign(b"message"), b"message")
        if FACTS[algorithm].scheme.prehash is not None:
            hasher = signer.hasher()
            hasher.update(b"message")
            signer.public_key.verify(signer.sign_digest(hasher.digest()), b"message")
            assert key.asked == 4


def test_pickle_keeps_the_option() -> None:
    with create_signer({"backend": "noop", "seed": SEED.hex(), "hedge_after": "150ms"}) as signer:
        mapping = signer.__reduce__()[1][0]
    assert mapping["hedge_after"] == "150ms"


# --- threads ---------------------------------------------------------------------------------------------------------


def test_nothing_is_started_without_the_option() -> None:
    program = (
        "import sys, threading; from signer_core import create_signer; "
        "create_signer({'backend': 'noop', 'verify': True}).sign(b''); "
        "print('signer_core.hedging' in sys.modules, threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "False 1\n"


def test_64_callers_whose_first_attempts_are_all_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "BURST", 64)
    first: dict[bytes, Deadline] = {}

    class SlowAtFirst(Ed25519Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if first.setdefault(message, deadline) is deadline:
                deadline.sleep(PATIENCE)
            return super().sign(message, deadline)

    key = SlowAtFirst()
    with Signer(key, hedge_after=0.05) as signer:

        def call(number: int) -> Running:
            return in_thread(lambda: signer.sign(b"%d" % number))

        for number, running in enumerate([call(number) for number in range(64)]):
            signer.public_key.verify(running.result(), b"%d" % number)


def test_caller_that_finds_no_thread_signs_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "FIRST_ATTEMPTS", 1)
    threads = []

    class Watched(GatedKey):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            threads.append(threading.current_thread())
            return super().sign(message, deadline)

    key = Watched()
    with Signer(key, hedge_after=NEVER) as signer:
        first = in_thread(lambda: signer.sign(b"message"))
        key.wait_entered()
        second = in_thread(lambda: signer.sign(b"message"))
        key.wait_entered()
        key.gate.set()
        assert (first.result(), second.result()) == (RIGHT, RIGHT)
        assert threads[0] is not first.thread
        assert threads[1] is second.thread
        assert signer.sign(b"message") == RIGHT  # with the thread that is free again
        assert threads[2] is threads[0]


def test_attempt_that_finds_no_thread_goes_on_alone(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    monkeypatch.setattr(race, "SECOND_ATTEMPTS", 0)
    slow = Slow(let_go=logged.line("no answer in 0.001s, and no second attempt: no thread is free"))
    signer, key = hedged(slow)
    with signer:
        assert signer.sign(b"message") == RIGHT
    assert len(key.deadlines) == 1


def test_system_without_threads_signs_in_the_caller_s(monkeypatch: pytest.MonkeyPatch) -> None:
    signer, key = hedged()
    with signer:

        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            assert signer.sign(b"message") == RIGHT
        assert signer.sign(b"message") == RIGHT
        assert len(key.deadlines) == 2  # what could not start, did not start later


def test_interrupt_while_a_thread_starts_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    signer, key = hedged(hedge_after=NEVER)

    def start(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            signer.sign(b"message")
    assert signer.sign(b"message") == RIGHT
    signer.close()  # waits for no attempt that never began
    assert (len(key.deadlines), key.closed) == (1, 1)


# --- how many second attempts ----------------------------------------------------------------------------------------


def test_single_slow_call_has_its_second_attempt() -> None:
    assert Budget().spend()


def test_burst_of_second_attempts_and_then_one_for_so_many_first_ones() -> None:
    budget = Budget()
    assert [budget.spend() for _ in range(BURST + 2)] == [True] * BURST + [False] * 2
    for _ in range(FIRST_FOR_A_SECOND - 1):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert (budget.spend(), budget.spend()) == (True, False)


@given(st.lists(st.booleans()))
def test_second_attempts_are_at_most_a_burst_and_a_share_of_the_first_ones(slow: list[bool]) -> None:
    budget = Budget()
    seconds = 0
    for number, each in enumerate([*slow, *[True] * 50], 1):
        budget.earn()
        seconds += each and budget.spend()
        assert seconds <= BURST + number / FIRST_FOR_A_SECOND


def test_backend_that_is_slow_as_a_whole_does_not_get_twice_the_requests(logged: Logged) -> None:
    class Alone(Ed25519Key):
        """Each first attempt waits for a second one, or for the news that there is none."""

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            signature = super().sign(message, deadline)
            if len(self.deadlines) % 2 or spent.is_set():
                deadline.wait(spent, PATIENCE)
                deadline.check()
            return signature

    spent = logged.line("no answer in 0.001s, and no second attempt: there were too many")
    key = Alone()
    with Signer(key, hedge_after=SOON) as signer:
        calls = 0
        while not spent.is_set():
            signer.sign(b"message")
            calls += 1
    assert calls == BURST + 2
    assert len(key.deadlines) == calls + BURST + 1


# --- where it is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [each for each, facts in FACTS.items() if not facts.deterministic])
def test_other_algorithms_are_refused(algorithm: Algorithm) -> None:
    with pytest.raises(ConfigError, match=f"'hedge_after' is not for {algorithm}") as caught:
        create_signer({"backend": "noop", "algorithm": algorithm, "hedge_after": "150ms"})
    assert caught.value.remedy == (
        "leave it out, or use a key for one of: ed25519, rsa-pkcs1v15-sha256, rsa-pkcs1v15-sha384, rsa-pkcs1v15-sha512"
    )


ECDSA_KEY = """
from signer_noop import NoopKey

class Closing(NoopKey):
    closed = signed = 0

    def sign(self, message, deadline):
        Closing.signed += 1
        return super().sign(message, deadline)

    def close(self):
        Closing.closed += 1
""" + WORKING.replace(
    "Ed25519Key()", "Closing(private_key(Algorithm.ECDSA_P256_SHA256), Algorithm.ECDSA_P256_SHA256, reopens=True)"
)


def test_key_that_is_refused_is_closed_and_signs_nothing(install: Install) -> None:
    install(source=ECDSA_KEY, module="throwaway_of_hedging")
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256") as caught:
        create_signer({"backend": "throwaway", "hedge_after": "150ms"})
    closing = sys.modules["throwaway_of_hedging"].Closing
    assert (closing.closed, closing.signed) == (1, 0)
    assert not hasattr(caught.value, "__notes__")


def test_options_that_do_not_fit_make_no_key(install: Install) -> None:
    install(
        source=WORKING.replace("def signer_open(config):", "def signer_init(config):\n    MADE.append(1)\n")
        + "MADE = []\n@hookimpl\ndef signer_open(config):\n    raise KeyNotFoundError('none')\n",
        module="throwaway_that_makes",
    )
    with pytest.raises(ConfigError, match="'verify' is false"):
        init_signer({"backend": "throwaway", "hedge_after": "150ms", "verify": False})
    assert sys.modules["throwaway_that_makes"].MADE == []
    init_signer({"backend": "throwaway", "hedge_after": "150ms"}).close()
    assert sys.modules["throwaway_that_makes"].MADE == [1]


def test_configured_algorithm_that_does_not_fit_makes_no_key(tmp_path: Path) -> None:
    config = {"backend": "file", "path": str(tmp_path / "keys"), "passphrase": Secret(b"open sesame")}
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256, of which"):
        init_signer({**config, "algorithm": "ecdsa-p256-sha256", "hedge_after": "150ms"})
    assert list(tmp_path.iterdir()) == []
    init_signer({**config, "algorithm": "rsa-pkcs1v15-sha256", "hedge_after": "150ms"}).close()


MAKING = """
MADE = []

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config, algorithms={%s})

@hookimpl
def signer_open(config):
    raise KeyNotFoundError("none")

@hookimpl
def signer_init(config):
    from signer_noop import NoopKey

    MADE.append(NoopKey(private_key(Algorithm.ECDSA_P256_SHA256), Algorithm.ECDSA_P256_SHA256, reopens=True))
    return MADE[-1]
"""


def test_backend_with_no_algorithm_that_fits_makes_no_key(install: Install) -> None:
    declared = "Algorithm.ECDSA_P256_SHA256, Algorithm.ML_DSA_44"
    install(source=MAKING % declared, module="throwaway_of_misfits")
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256 or ml-dsa-44, of which"):
        init_signer({"backend": "throwaway", "hedge_after": "150ms"})
    assert sys.modules["throwaway_of_misfits"].MADE == []


def test_key_that_was_made_before_it_was_seen_not_to_fit_is_named(install: Install) -> None:
    install(source=MAKING % "*Algorithm", module="throwaway_of_surprises")
    config = {"backend": "throwaway", "hedge_after": "150ms"}
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256, of which") as caught:
        init_signer(config)
    (made,) = sys.modules["throwaway_of_surprises"].MADE
    assert caught.value.__notes__ == [f"the key {made.key_id} was opened or made before that was seen"]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"verify": False}, "lets the first verified signature win, and 'verify' is false"),
        ({"timeout": 1}, "is 1s, when each first attempt is over: timeout is 1s"),
        ({"attempt_timeout": "200ms"}, "is 1s, when each first attempt is over: attempt_timeout is 0.2s"),
        ({"hedge_after": 0}, "'hedge_after' in the configuration is not right; it must be longer than 0"),
        ({"hedge_after": -1}, "'hedge_after' in the configuration is not right; write seconds"),
        ({"hedge_after": "soon"}, "'hedge_after' in the configuration is not right"),
    ],
)
def test_what_does_not_fit_is_refused(more: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        create_signer({"backend": "noop", "hedge_after": "1s", **more})


@pytest.mark.parametrize("more", [{"verify": False}, {"timeout": 1}, {"attempt_timeout": 0.5}])
def test_what_does_not_fit_is_refused_in_code(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="option 'hedge_after'"):
        Signer(Ed25519Key(), hedge_after=1, **more)


@pytest.mark.parametrize("option", ["timeout", "attempt_timeout", "hedge_after"])
@pytest.mark.parametrize(
    ("value", "why"), [(0, "it must be longer than 0"), ("0ms", "it must be longer than 0"), ("soon", "write seconds")]
)
def test_time_that_is_none_is_refused_in_code(option: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{option} is {value!r}; {why}"):
        Signer(Ed25519Key(), **{option: value})


def test_environment_sets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "signer.toml"
    path.write_text('[signer]\nbackend = "noop"\nalgorithm = "ecdsa-p256-sha256"')
    create_signer(path).close()
    monkeypatch.setenv("SIGNER_HEDGE_AFTER", "150ms")
    with pytest.raises(ConfigError, match="'hedge_after' is not for ecdsa-p256-sha256"):
        create_signer(path)


@pytest.mark.parametrize("hedge_after", [1e300, math.inf])
def test_hedge_after_that_no_clock_can_wait_for(hedge_after: float) -> None:
    signer, _ = hedged(hedge_after=hedge_after)
    with signer:
        assert signer.sign(b"message") == RIGHT
