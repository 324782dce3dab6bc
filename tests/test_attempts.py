import logging
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Deadline
from signer_core.attempts import LONGEST_BACKOFF, Attempts, full_jitter
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    DeadlineExceededError,
    KeyNotFoundError,
    PluginContractError,
    SignCancelledError,
    SignError,
)
from tests.keys import Clock, ClockedEvent, chain_of


class Backend:
    """Fails as it was told to, then answers; each attempt takes a second."""

    def __init__(self, clock: Clock, *failures: Any) -> None:
        self.clock = clock
        self.failures = list(failures)
        self.deadlines: list[Deadline] = []

    def __call__(self, deadline: Deadline) -> str:
        self.deadlines.append(deadline)
        self.clock.advance(1)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def down(count: int = 1, **options: Any) -> list[BackendUnavailableError]:
    return [BackendUnavailableError(f"down {number}", **options) for number in range(1, count + 1)]


class Run:
    """One call with retries, on a clock that moves on by what it sleeps; without jitter, the longest pauses."""

    def __init__(self, *failures: Any, timeout: float | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.cancel = ClockedEvent(self.clock)
        self.backend = Backend(self.clock, *failures)
        options.setdefault("jitter", lambda ceiling: ceiling)
        self.attempts = Attempts(clock=self.clock, **options)
        self.deadline = self.attempts.deadline(timeout, self.cancel)

    def __call__(self) -> str:
        return self.attempts.run(self.backend, self.deadline)

    @property
    def count(self) -> int:
        return len(self.backend.deadlines)


def test_success_at_once() -> None:
    run = Run(max_retries=3)
    assert run() == "answer"
    assert (run.count, run.cancel.waits) == (1, [])


def test_pauses_grow_exponentially_up_to_a_cap() -> None:
    run = Run(*down(9), max_retries=9)
    assert run() == "answer"
    assert run.cancel.waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_pauses_of_a_thousand_attempts() -> None:
    run = Run(*down(1100), max_retries=1100)
    assert run() == "answer"
    assert run.cancel.waits[-1] == LONGEST_BACKOFF


def test_attempt_that_failed_is_logged_for_information_with_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "signer_core"):
        Run(*down(2), max_retries=3)()
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("signer_core", "INFO", "attempt 1 of 4 failed: down 1; the next one in 0.1s"),
        ("signer_core", "INFO", "attempt 2 of 4 failed: down 2; the next one in 0.2s"),
    ]


def test_pause_is_what_the_jitter_makes_of_it() -> None:
    run = Run(*down(3), max_retries=3, jitter=lambda ceiling: ceiling / 2)
    run()
    assert run.cancel.waits == [0.05, 0.1, 0.2]


@given(st.floats(0, 1e6))
def test_full_jitter_is_anything_up_to_the_ceiling(ceiling: float) -> None:
    assert 0 <= full_jitter(ceiling) <= ceiling


def test_retry_after_is_the_shortest_pause() -> None:
    run = Run(*down(1, retry_after=7.5), *down(1, retry_after=0.01), max_retries=2)
    assert run() == "answer"
    assert run.cancel.waits == [7.5, 0.2]


@pytest.mark.parametrize(
    "retry_after",
    [math.nan, -5, 0, None, "7", math.inf, 10**400],
    ids=["nan", "less", "0", "None", "text", "inf", "huge"],
)
def test_retry_after_that_is_no_time_is_not_followed(retry_after: Any) -> None:
    run = Run(*down(1, retry_after=retry_after), max_retries=1)
    assert run() == "answer"
    assert run.cancel.waits == [0.1]


def test_error_that_does_not_know_retry_after() -> None:
    class Sloppy(SignError):
        retryable = True

        def __init__(self) -> None:
            Exception.__init__(self, "sloppy")
            self.message, self.remedy = "sloppy", None

    run = Run(Sloppy(), max_retries=1)
    assert run() == "answer"


@pytest.mark.parametrize(
    "error", [AccessDeniedError("no"), KeyNotFoundError("none"), PluginContractError("broken"), SignCancelledError("x")]
)
def test_only_what_is_retryable_is_tried_again(error: Exception) -> None:
    run = Run(error, max_retries=5)
    with pytest.raises(type(error)) as caught:
        run()
    assert caught.value is error
    assert (run.count, run.cancel.waits) == (1, [])


def test_error_may_say_of_itself_whether_it_is_retryable() -> None:
    run = Run(
        AccessDeniedError("clock skew", retryable=True), BackendUnavailableError("x", retryable=False), max_retries=5
    )
    with pytest.raises(BackendUnavailableError, match=r"^x$"):
        run()
    assert run.count == 2


def test_after_the_last_attempt_it_says_how_many_how_long_and_the_last_cause() -> None:
    run = Run(*down(4), max_retries=3)
    with pytest.raises(BackendUnavailableError) as caught:
        run()
    assert str(caught.value) == "down 4 (gave up after 4 attempts in 4.7s)"
    assert str(caught.value.__cause__) == "down 4"
    assert run.count == 4


def test_giving_up_keeps_remedy_and_retry_after() -> None:
    run = Run(*down(2, remedy="look there", retry_after=2), max_retries=1)
    with pytest.raises(BackendUnavailableError) as caught:
        run()
    assert (caught.value.remedy, caught.value.retry_after) == ("look there", 2)


def test_only_attempt_leaves_its_error_as_it_is() -> None:
    (error,) = down(1)
    with pytest.raises(BackendUnavailableError) as caught:
        Run(error, max_retries=0)()
    assert caught.value is error


def test_giving_up_leaves_a_backend_s_own_kind_of_error_as_it_is() -> None:
    class Throttled(BackendUnavailableError):
        code = "throttled"

    error = Throttled("slow down")
    with pytest.raises(Throttled) as caught:
        Run(error, error, max_retries=1)()
    assert caught.value is error
    assert caught.value.__notes__ == ["gave up after 2 attempts in 2.1s"]


def test_giving_up_on_another_retryable_error_leaves_it_as_it_is() -> None:
    error = AccessDeniedError("clock skew", retryable=True)
    run = Run(error, error, max_retries=1)
    with pytest.raises(AccessDeniedError) as caught:
        run()
    assert caught.value is error
    assert caught.value.__notes__ == ["gave up after 2 attempts in 2.1s"]
    assert caught.value.__cause__ is None
    assert chain_of(error) == [error]


def test_attempt_that_takes_too_long_is_tried_again_and_the_end_says_so() -> None:
    run = Run(DeadlineExceededError("slow 1"), DeadlineExceededError("slow 2"), max_retries=1, attempt_timeout=3.0)
    with pytest.raises(DeadlineExceededError, match=r"^slow 2 \(gave up after 2 attempts in 2\.1s\)$"):
        run()


def test_each_attempt_has_its_own_time_inside_the_budget() -> None:
    run = Run(*down(2), max_retries=2, timeout=5, attempt_timeout=3.0)
    run()
    assert [each.seconds for each in run.backend.deadlines] == [3.0, 3.0, 5]


def test_next_attempt_that_would_begin_after_the_deadline_is_not_waited_for() -> None:
    run = Run(*down(1, retry_after=9), max_retries=3, timeout=5)
    with pytest.raises(DeadlineExceededError) as caught:
        run()
    assert str(caught.value) == (
        "the next attempt, in 9s, would begin after the deadline: 1 attempt in 1s; last: down 1"
    )
    assert caught.value.retry_after == 9
    assert isinstance(caught.value.__cause__, BackendUnavailableError)
    assert (run.count, run.cancel.waits) == (1, [])


@pytest.mark.parametrize("retry_after", [4, 4.5])
def test_pause_that_would_end_at_the_deadline_or_just_after_it_is_not_begun(retry_after: float) -> None:
    run = Run(*down(1, retry_after=retry_after), max_retries=3, timeout=5)
    with pytest.raises(DeadlineExceededError, match="would begin after the deadline"):
        run()
    assert run.cancel.waits == []


def test_budget_that_is_over_after_an_attempt() -> None:
    run = Run(*down(1), max_retries=3, timeout=1)
    with pytest.raises(DeadlineExceededError, match=r"^no success within 1s: 1 attempt in 1s; last: down 1$"):
        run()


def test_budget_that_is_over_before_the_first_attempt() -> None:
    run = Run(timeout=1)
    run.clock.advance(1)
    with pytest.raises(DeadlineExceededError):
        run()
    assert run.count == 0


def test_success_after_the_deadline_is_a_success() -> None:
    run = Run(timeout=0.5)
    assert run() == "answer"


def test_cancelled_before_the_first_attempt() -> None:
    run = Run()
    run.cancel.set()
    with pytest.raises(SignCancelledError):
        run()
    assert run.count == 0


def test_cancelled_during_a_pause() -> None:
    run = Run(*down(5), max_retries=5)
    wait = run.cancel.wait

    def cancelled(timeout: float | None = None) -> bool:
        wait(timeout)
        run.cancel.set()
        return True

    run.cancel.wait = cancelled  # type: ignore[method-assign]
    with pytest.raises(SignCancelledError):
        run()
    assert run.count == 1


def test_cancelled_during_an_attempt_that_fails() -> None:
    run = Run(*down(5), max_retries=5)

    def cancelled(_: float) -> float:
        run.cancel.set()
        return 0.0

    run.attempts = Attempts(clock=run.clock, max_retries=5, jitter=cancelled)
    with pytest.raises(SignCancelledError):
        run()
    assert run.count == 1


def test_timeout_of_the_call_goes_before_the_configured_one() -> None:
    attempts = Attempts(timeout=10, clock=Clock())
    assert attempts.deadline(None, None).seconds == 10
    assert attempts.deadline(3, None).seconds == 3
    assert attempts.deadline(math.inf, None).seconds is None


@pytest.mark.parametrize("timeout", [0, -1, -math.inf, math.nan, 0.0])
def test_timeout_of_nothing_is_a_value_error(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be more than 0 seconds"):
        Attempts().deadline(timeout, None)


@pytest.mark.parametrize("timeout", ["10s", [1], b"1", False])
def test_timeout_of_another_type(timeout: Any) -> None:
    with pytest.raises(TypeError):
        Attempts().deadline(timeout, None)


@pytest.mark.parametrize("cancel", [True, 5, "set", threading.Lock()])
def test_cancel_that_is_no_event(cancel: Any) -> None:
    with pytest.raises(TypeError, match=r"cancel must be a threading.Event"):
        Attempts().deadline(None, cancel)


@pytest.mark.parametrize(
    ("max_retries", "error"), [(-1, ValueError), ("3", TypeError), (1.5, TypeError), (True, TypeError)]
)
def test_max_retries_is_a_count(max_retries: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_retries must be"):
        Attempts(max_retries=max_retries)


def test_just_one() -> None:
    assert Attempts().just_one
    assert not Attempts(max_retries=1).just_one
    assert not Attempts(attempt_timeout=1).just_one
    assert Attempts(timeout=1).just_one


@given(
    st.lists(st.none() | st.floats(0, 20), max_size=8),
    st.integers(0, 8),
    st.floats(0.5, 30),
    st.none() | st.floats(0.1, 9),
)
def test_no_attempt_begins_after_the_deadline_and_none_too_many(
    asked: list[float | None], max_retries: int, timeout: float, attempt_timeout: float | None
) -> None:
    failures = [error for each in asked for error in down(1, retry_after=each)]
    run = Run(*failures, timeout=timeout, max_retries=max_retries, attempt_timeout=attempt_timeout)
    started = run.clock()
    try:
        assert run() == "answer"
        assert run.count == len(failures) + 1
    except (BackendUnavailableError, DeadlineExceededError):
        assert 1 <= run.count <= min(max_retries + 1, len(failures))
    assert run.count <= max_retries + 1
    assert sum(each or 0.0 for each in run.cancel.waits) + run.count - 1 < timeout
    assert run.clock() - started < timeout + 1 + 1e-6
