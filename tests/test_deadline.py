import math
import multiprocessing
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Deadline
from signer_core.errors import DeadlineExceededError, SignCancelledError
from tests.keys import PATIENCE, Clock, ClockedEvent, in_thread


def test_remaining_goes_down_with_the_clock_and_ends_at_0() -> None:
    clock = Clock()
    deadline = Deadline.after(5, clock=clock)
    assert deadline.remaining() == 5
    clock.advance(2)
    assert deadline.remaining() == 3
    clock.advance(20)
    assert deadline.remaining() == 0


@pytest.mark.parametrize("seconds", [None, math.inf, 10**400], ids=["None", "inf", "endless"])
def test_no_limit(seconds: float | None) -> None:
    deadline = Deadline.after(seconds)
    assert deadline.seconds is None
    assert deadline.remaining() is None
    deadline.check()


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Deadline.after(math.nan)


def test_largest_number_is_a_limit() -> None:
    assert Deadline.after(sys.float_info.max).seconds == sys.float_info.max


def test_what_is_no_event_cannot_cancel() -> None:
    with pytest.raises(
        TypeError, match=r"^cancel must be a threading\.Event, not multiprocessing\.synchronize\.Event$"
    ):
        Deadline.after(1, cancel=multiprocessing.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, -1, -math.inf])
def test_zero_or_less_is_over_already(seconds: float) -> None:
    deadline = Deadline.after(seconds)
    assert deadline.remaining() == 0
    with pytest.raises(DeadlineExceededError):
        deadline.check()


def test_check_says_which_budget_is_used_up() -> None:
    clock = Clock()
    deadline = Deadline.after(2.5, clock=clock)
    deadline.check()
    clock.advance(2.5)
    with pytest.raises(DeadlineExceededError, match=r"^the time budget of 2\.5s is used up$"):
        deadline.check()


def test_cancellation_goes_before_the_deadline() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SignCancelledError, match="cancelled"):
        Deadline.after(0, cancel=cancel).check()


def test_sleep_takes_as_long_as_asked() -> None:
    clock = Clock()
    cancel = ClockedEvent(clock)
    Deadline.after(5, cancel=cancel, clock=clock).sleep(2)
    assert cancel.waits == [2]


def test_sleep_without_cancellation_comes_back() -> None:
    Deadline.after(None).sleep(0.001)


def test_sleep_beyond_the_deadline_ends_with_it() -> None:
    clock = Clock()
    cancel = ClockedEvent(clock)
    with pytest.raises(DeadlineExceededError):
        Deadline.after(5, cancel=cancel, clock=clock).sleep(7)
    assert cancel.waits == [5]


def test_sleep_to_the_very_deadline_ends_with_it() -> None:
    clock = Clock()
    with pytest.raises(DeadlineExceededError):
        Deadline.after(5, cancel=ClockedEvent(clock), clock=clock).sleep(5)


def test_sleep_on_a_clock_that_stands_still_raises_and_does_not_go_on() -> None:
    with pytest.raises(DeadlineExceededError):
        Deadline.after(0.001, clock=Clock()).sleep(1)


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_sleep_when_it_is_over_does_not_wait(seconds: float) -> None:
    clock = Clock()
    cancel = ClockedEvent(clock)
    deadline = Deadline.after(1, cancel=cancel, clock=clock)
    clock.advance(1)
    with pytest.raises(DeadlineExceededError):
        deadline.sleep(seconds)
    assert cancel.waits == []


@pytest.mark.parametrize("seconds", [60.0, 1e12, math.inf, 10**400], ids=["short", "long", "inf", "endless"])
def test_sleep_ends_at_once_when_cancelled(seconds: float) -> None:
    cancel = threading.Event()
    sleeping = in_thread(lambda: Deadline.after(None, cancel=cancel).sleep(seconds))
    cancel.set()
    with pytest.raises(SignCancelledError):
        sleeping.result()


def test_sleep_of_a_long_deadline_ends_at_once_when_cancelled() -> None:
    cancel = threading.Event()
    sleeping = in_thread(lambda: Deadline.after(1e12, cancel=cancel).sleep(1e13))
    cancel.set()
    with pytest.raises(SignCancelledError):
        sleeping.result()


def test_sleep_of_less_than_nothing_is_over_at_once() -> None:
    Deadline.after(5, clock=Clock()).sleep(-1)


def test_wait_for_an_event_that_is_set() -> None:
    event = threading.Event()
    event.set()
    assert Deadline.after(0).wait(event) is True


@pytest.mark.parametrize("seconds", [None, math.inf, 1e12, 10**400], ids=["None", "inf", "long", "endless"])
@pytest.mark.parametrize("budget", [None, 1e12])
@pytest.mark.parametrize("cancel", [None, threading.Event()])
def test_wait_until_the_event_is_set(
    seconds: float | None, budget: float | None, cancel: threading.Event | None
) -> None:
    event = threading.Event()
    waiting = in_thread(lambda: Deadline.after(budget, cancel=cancel).wait(event, seconds))
    event.set()
    assert waiting.result() is True


def test_wait_ends_after_its_seconds() -> None:
    clock = Clock()
    event = ClockedEvent(clock)
    assert Deadline.after(5, clock=clock).wait(event, 2) is False
    assert event.waits == [2]


def test_wait_ends_with_the_deadline() -> None:
    clock = Clock()
    event = ClockedEvent(clock)
    assert Deadline.after(5, clock=clock).wait(event, 20) is False
    assert event.waits == [5]


def test_wait_of_no_seconds_only_looks() -> None:
    assert Deadline.after(None).wait(threading.Event(), 0) is False


def test_wait_on_a_clock_that_stands_still_ends() -> None:
    assert Deadline.after(0.001, clock=Clock()).wait(threading.Event()) is False


def test_wait_that_can_be_called_off_ends_after_its_seconds_too() -> None:
    clock = Clock()
    event = ClockedEvent(clock)
    assert Deadline.after(5, cancel=threading.Event(), clock=clock).wait(event, 0.05) is False
    assert event.waits == pytest.approx([0.02, 0.02, 0.01])


def test_wait_ends_when_cancelled() -> None:
    cancel = threading.Event()
    waiting = in_thread(lambda: Deadline.after(PATIENCE, cancel=cancel).wait(threading.Event()))
    cancel.set()
    assert waiting.result() is False


def test_within_is_the_sooner_of_both() -> None:
    clock = Clock()
    deadline = Deadline.after(5, clock=clock)
    assert deadline.within(2).remaining() == 2
    assert deadline.within(7) is deadline
    assert deadline.within(None) is deadline
    clock.advance(4)
    assert deadline.within(2) is deadline


def test_within_no_limit_is_the_limit_of_the_step_by_the_same_clock() -> None:
    clock = Clock()
    step = Deadline.after(None, clock=clock).within(3)
    clock.advance(1)
    assert step.remaining() == 2


def test_a_step_of_all_that_is_left_has_the_budget_of_the_call() -> None:
    clock = Clock()
    deadline = Deadline.after(5, clock=clock)
    clock.advance(2)
    assert deadline.within(3).seconds == 5


def test_within_keeps_the_cancellation() -> None:
    cancel = threading.Event()
    step = Deadline.after(5, cancel=cancel).within(1)
    cancel.set()
    with pytest.raises(SignCancelledError):
        step.check()


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 2e9))
def test_a_step_never_has_more_time_than_the_call(budget: float, step: float, elapsed: float) -> None:
    clock = Clock(0.0)
    deadline = Deadline.after(budget, clock=clock)
    inner = deadline.within(step)
    clock.advance(elapsed)
    remaining, of_step = deadline.remaining(), inner.remaining()
    assert remaining is not None
    assert of_step is not None
    assert of_step <= remaining + 1e-6


@pytest.mark.parametrize("cancel", [None, threading.Event()], ids=["endless", "cancellable"])
def test_deadline_that_is_stopped_is_over_and_the_one_it_came_from_is_not(cancel: threading.Event | None) -> None:
    clock, stop = Clock(), threading.Event()
    deadline = Deadline.after(5, cancel=cancel, clock=clock)
    stoppable = deadline.stopped_by(stop)
    assert (stoppable.seconds, stoppable.remaining()) == (5, 5)
    stoppable.check()
    stop.set()
    with pytest.raises(SignCancelledError):
        stoppable.check()
    with pytest.raises(SignCancelledError):
        stoppable.within(1).check()
    deadline.check()
    assert (deadline.unwanted, stoppable.unwanted, stoppable.within(1).unwanted) == (None, stop, stop)


def test_deadline_that_can_be_stopped_is_cancelled_and_ends_as_before() -> None:
    clock, cancel = Clock(), threading.Event()
    deadline = Deadline.after(5, cancel=cancel, clock=clock).stopped_by(threading.Event())
    clock.advance(5)
    with pytest.raises(DeadlineExceededError):
        deadline.check()
    cancel.set()
    with pytest.raises(SignCancelledError):
        deadline.check()


@pytest.mark.parametrize("number", [0, 1])
def test_sleep_and_wait_end_when_stopped_or_cancelled(number: int) -> None:
    events = threading.Event(), threading.Event()
    deadline = Deadline.after(PATIENCE, cancel=events[0]).stopped_by(events[1])
    sleeping, waiting = in_thread(lambda: deadline.sleep(60)), in_thread(lambda: deadline.wait(threading.Event()))
    events[number].set()
    with pytest.raises(SignCancelledError):
        sleeping.result()
    assert waiting.result() is False


def test_sleep_that_could_be_stopped_takes_as_long_as_asked() -> None:
    clock = Clock()
    stop = ClockedEvent(clock)
    Deadline.after(None, cancel=threading.Event(), clock=clock).stopped_by(stop).sleep(0.05)
    assert stop.waits == pytest.approx([0.02, 0.02, 0.01])
