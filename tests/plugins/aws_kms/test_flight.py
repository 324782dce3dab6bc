"""Work in threads of its own: what it raises, what happens when it hangs, and when there are no threads."""

import socket
import threading
import traceback

import pytest

from signer_aws_kms.flight import Flight
from signer_aws_kms.single_flight import HANGS_AFTER, MOST_HANGING, SingleFlight
from signer_core import Deadline
from signer_core.errors import BackendUnavailableError, ConfigError, DeadlineExceededError, SignCancelledError
from tests.plugins.aws_kms.peers import PATIENCE, Clock
from tests.plugins.aws_kms.sources import landed, no_threads


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


class Work:
    """Work that a test lets end; each time that it is begun it has the next number."""

    def __init__(self) -> None:
        self.begun = 0
        self.gates: list[threading.Event] = []

    def __call__(self) -> int:
        number = self.begun
        gate = threading.Event()
        self.gates.append(gate)
        self.begun += 1
        gate.wait(PATIENCE)
        return number

    def end(self) -> None:
        for gate in self.gates:
            gate.set()
        landed()


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(-2, "no such name"), ConfigError("wrong", remedy="right"), KeyError("key")],
    ids=lambda error: type(error).__name__,
)
def test_each_who_waits_has_an_error_of_his_own(error: Exception) -> None:
    def fail() -> None:
        raise error

    flight = Flight(fail)
    assert flight.landed.wait(PATIENCE)
    raised, sizes = [], []
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            flight.result(soon())
        raised.append(caught.value)
        sizes.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len({id(each) for each in (error, *raised)}) == 4
    assert {(str(each), repr(vars(each))) for each in raised} == {(str(error), repr(vars(error)))}
    assert len(set(sizes)) == 1
    assert "fail" in [frame.name for frame in traceback.extract_tb(raised[0].__traceback__)]


def test_the_cause_of_an_error_is_told() -> None:
    def fail() -> None:
        raise ConfigError("wrong") from ValueError("cause")

    with pytest.raises(ConfigError) as caught:
        Flight(fail).result(soon())
    assert str(caught.value.__cause__) == "cause"


def test_work_that_ends_its_thread_is_an_error_of_the_library() -> None:
    def leave() -> None:
        raise SystemExit(1)

    with pytest.raises(BackendUnavailableError, match="ended by SystemExit") as caught:
        Flight(leave).result(soon())
    assert not caught.value.retryable


def test_without_threads_the_error_is_retryable() -> None:
    flights = SingleFlight(lambda: 1)
    with no_threads(), pytest.raises(BackendUnavailableError, match=r"no thread.*allow this process more") as caught:
        flights.result(soon())
    assert caught.value.retryable
    assert flights.result(soon()) == 1


def test_a_call_that_is_over_or_called_off_does_not_wait() -> None:
    work = Work()
    flights = SingleFlight(work)
    with pytest.raises(DeadlineExceededError):
        flights.result(Deadline.after(0.01))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SignCancelledError):
        flights.result(Deadline.after(PATIENCE, cancel=cancel))
    assert work.begun == 1
    work.end()


def test_all_who_come_while_it_is_under_way_have_the_same_result() -> None:
    work = Work()
    flights = SingleFlight(work)
    first = flights.begin()
    assert flights.begin() is first
    work.end()
    assert flights.begin() is not first
    work.end()


def test_work_that_hangs_is_begun_anew_after_a_minute_and_what_it_brings_is_dropped() -> None:
    clock, work = Clock(), Work()
    taken: list[int] = []
    flights = SingleFlight(work, take=taken.append, clock=clock)
    hanging = flights.begin()
    clock.now += HANGS_AFTER - 1
    assert flights.begin() is hanging
    clock.now += 1
    another = flights.begin()
    assert another is not hanging
    assert flights.begin() is another
    work.gates[1].set()
    assert another.result(soon()) == 1
    work.end()
    assert taken == [1]


def test_who_waits_for_work_that_hangs_waits_for_the_one_that_was_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_aws_kms.single_flight.HANGS_AFTER", 0.01)
    begun, over = threading.Event(), threading.Event()

    def work() -> str:
        if not begun.is_set():
            begun.set()
            over.wait(PATIENCE)
        return "done in time" if not over.is_set() else "done too late"

    assert SingleFlight(work).result(soon()) == "done in time"
    over.set()
    landed()


def test_only_so_many_threads_hang_in_the_same_work() -> None:
    clock, work = Clock(), Work()
    flights = SingleFlight(work, clock=clock)
    for _ in range(20):
        flights.begin()
        clock.now += HANGS_AFTER
    assert work.begun == MOST_HANGING
    work.end()
    flights.begin()
    clock.now += HANGS_AFTER
    flights.begin()
    assert work.begun == MOST_HANGING + 2
    work.end()
