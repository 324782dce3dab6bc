"""The pool: bounded, in order, kept alive, and with no place lost."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

import signer_aws_kms.pool
from signer_aws_kms.answer import GarbledError
from signer_aws_kms.dialer import Dialer
from signer_aws_kms.pool import LONGEST_IDLE, BusyError, Pool
from signer_aws_kms.route import Route
from signer_core import Deadline
from signer_core.errors import SignCancelledError
from tests.interruptions import interrupted_at_each_point
from tests.keys import until
from tests.plugins.aws_kms.peers import (
    PATIENCE,
    Clock,
    Peer,
    answering,
    closing,
    http,
    once,
    peer,
    request_from,
    silent,
)

REQUEST = b"POST / HTTP/1.1\r\nHost: kms\r\nContent-Length: 0\r\n\r\n"


@contextlib.contextmanager
def pool_to(server: Peer, size: int = 1, clock: Callable[[], float] = time.monotonic) -> Iterator[Pool]:
    pool = Pool(Dialer(Route.to(f"http://127.0.0.1:{server.port}"), ssl.create_default_context), size, clock=clock)
    try:
        yield pool
    finally:
        pool.close_idle()


def ask(pool: Pool, *, repeatable: bool = True, seconds: float = PATIENCE) -> bytes:
    return pool.exchange(REQUEST, Deadline.after(seconds), repeatable=repeatable).body


class Gate:
    """Answers each request when it is let through, and says that it came."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, connection: socket.socket) -> None:
        while request_from(connection):
            self.came.release()
            assert self.go.acquire(timeout=PATIENCE)
            connection.sendall(http())


def test_a_connection_is_used_again() -> None:
    with peer(answering(http(b"one"), http(b"two"))) as server, pool_to(server) as pool:
        assert [ask(pool), ask(pool)] == [b"one", b"two"]
        assert len(server.received) == 1


def test_no_more_connections_are_open_than_the_pool_has_places() -> None:
    gate = Gate()
    with peer(gate) as server, pool_to(server, size=2) as pool, ThreadPoolExecutor(6) as callers:
        calls = [callers.submit(ask, pool) for _ in range(6)]
        assert gate.came.acquire(timeout=PATIENCE)
        assert gate.came.acquire(timeout=PATIENCE)
        gate.go.release(6)
        assert [call.result(PATIENCE) for call in calls] == [b"{}"] * 6
        assert len(server.received) == 2


def test_whoever_waits_longest_is_served_first() -> None:
    gate, order, threads = Gate(), [], []
    with peer(gate) as server, pool_to(server) as pool:
        for number in range(5):

            def call(number: int = number) -> None:
                ask(pool)
                order.append(number)

            threads.append(threading.Thread(target=call))
            threads[-1].start()
            if number == 0:
                assert gate.came.acquire(timeout=PATIENCE)
            else:
                until(lambda number=number: len(pool._waiting) == number)  # type: ignore[misc]
        for number, thread in enumerate(threads):
            gate.go.release()
            thread.join(PATIENCE)
            assert order == list(range(number + 1))


def test_a_wait_for_a_connection_ends_at_the_deadline_and_loses_no_place() -> None:
    gate = Gate()
    with peer(gate) as server, pool_to(server) as pool, ThreadPoolExecutor(1) as callers:
        busy = callers.submit(ask, pool)
        assert gate.came.acquire(timeout=PATIENCE)
        with pytest.raises(BusyError):
            ask(pool, seconds=0.05)
        gate.go.release(2)
        assert busy.result(PATIENCE) == b"{}"
        assert ask(pool) == b"{}"


def test_a_wait_for_a_connection_ends_when_the_call_is_cancelled() -> None:
    gate, cancel = Gate(), threading.Event()
    with peer(gate) as server, pool_to(server) as pool, ThreadPoolExecutor(2) as callers:
        busy = callers.submit(ask, pool)
        assert gate.came.acquire(timeout=PATIENCE)
        waiting = callers.submit(pool.exchange, REQUEST, Deadline.after(PATIENCE, cancel=cancel), repeatable=True)
        cancel.set()
        with pytest.raises(SignCancelledError):
            waiting.result(PATIENCE)
        gate.go.release()
        assert busy.result(PATIENCE) == b"{}"


def test_a_connection_that_failed_is_not_used_again_and_its_place_is_free() -> None:
    with peer(silent, answering(http())) as server, pool_to(server) as pool:
        with pytest.raises(TimeoutError):
            ask(pool, seconds=0.05)
        assert (len(pool._idle), pool._free) == (0, 1)
        assert ask(pool) == b"{}"


def test_a_place_is_free_again_when_no_connection_could_be_opened() -> None:
    with peer(answering(http())) as server, pool_to(server, size=3) as pool:
        pass
    with pytest.raises(ConnectionError):
        ask(pool)
    assert pool._free == 3


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_without_a_word() -> None:
    with peer(once(http(b"one")), answering(http(b"two"))) as server, pool_to(server) as pool:
        assert [ask(pool), ask(pool)] == [b"one", b"two"]
        assert len(server.received) == 2


def test_a_connection_that_never_served_is_not_replaced() -> None:
    with peer(closing) as server, pool_to(server) as pool:
        with pytest.raises((ConnectionError, GarbledError)):
            ask(pool)
        assert len(server.received) == 1


def test_a_request_is_not_sent_again_when_a_part_of_the_answer_had_come() -> None:
    def half(connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(http())
        request_from(connection)
        connection.sendall(http(b"some body")[:-3])

    with peer(half, answering(http())) as server, pool_to(server) as pool:
        ask(pool)
        with pytest.raises(GarbledError, match="in the middle"):
            ask(pool)
        assert len(server.received) == 1


def test_a_request_that_must_not_be_repeated_takes_a_new_connection() -> None:
    with peer(answering(http())) as server, pool_to(server) as pool:
        ask(pool)
        ask(pool, repeatable=False)
        assert len(server.received) == 2


def test_a_connection_that_the_server_will_close_is_not_kept() -> None:
    with peer(answering(http(headers="Connection: close\r\n"))) as server, pool_to(server) as pool:
        ask(pool)
        ask(pool)
        assert len(server.received) == 2


def test_a_connection_with_more_than_its_answer_is_not_kept() -> None:
    with peer(answering(http() + b"HTTP/1.1 200 OK\r\n")) as server, pool_to(server) as pool:
        ask(pool)
        ask(pool)
        assert len(server.received) == 2


def test_a_connection_that_was_idle_for_too_long_is_not_trusted() -> None:
    clock = Clock()
    with peer(answering(http())) as server, pool_to(server, clock=clock) as pool:
        ask(pool)
        clock.now += LONGEST_IDLE + 1
        ask(pool)
        assert len(server.received) == 2


def test_a_connection_that_was_idle_for_just_as_long_as_it_may_be_is_used_again() -> None:
    clock = Clock()
    with peer(answering(http())) as server, pool_to(server, clock=clock) as pool:
        ask(pool)
        clock.now += LONGEST_IDLE
        ask(pool)
        assert len(server.received) == 1


def test_a_forked_child_closes_its_copies_of_what_is_open_and_begins_anew() -> None:
    ended = threading.Semaphore(0)

    def until_the_end(connection: socket.socket) -> None:
        answering(http())(connection)
        ended.release()

    with peer(until_the_end) as server, pool_to(server, size=2) as pool:
        ask(pool)
        pool.forget_other_threads()
        assert ended.acquire(timeout=PATIENCE)
        assert (len(pool._idle), pool._free) == (0, 2)
        assert ask(pool) == b"{}"
        assert len(server.received) == 2


def burst(pool: Pool, gate: Gate, callers: ThreadPoolExecutor) -> None:
    """Three calls at once, which leave three idle connections."""
    calls = [callers.submit(ask, pool) for _ in range(3)]
    for _ in calls:
        assert gate.came.acquire(timeout=PATIENCE)
    gate.go.release(3)
    for call in calls:
        call.result(PATIENCE)


def test_connections_that_a_burst_left_idle_are_closed_by_the_next_call() -> None:
    clock, gate = Clock(), Gate()
    with peer(gate) as server, pool_to(server, size=3, clock=clock) as pool, ThreadPoolExecutor(3) as callers:
        burst(pool, gate, callers)
        clock.now += LONGEST_IDLE + 1
        gate.go.release()
        ask(pool)
        assert (len(pool._idle), pool._free) == (1, 2)


def test_connections_that_a_burst_left_stay_for_just_as_long_as_they_may() -> None:
    clock, gate = Clock(), Gate()
    with peer(gate) as server, pool_to(server, size=3, clock=clock) as pool, ThreadPoolExecutor(3) as callers:
        burst(pool, gate, callers)
        clock.now += LONGEST_IDLE
        gate.go.release()
        ask(pool)
        assert (len(pool._idle), pool._free) == (3, 0)


def test_one_idle_connection_without_an_answer_takes_those_with_it_that_are_as_old() -> None:
    gate, network_changed = Gate(), threading.Event()

    def until_the_change(connection: socket.socket) -> None:
        assert request_from(connection)
        is_old = not network_changed.is_set()  # now: once it is answered, the test goes on
        gate.came.release()
        assert gate.go.acquire(timeout=PATIENCE)
        connection.sendall(http())
        if is_old:
            silent(connection)

    with peer(until_the_change) as server, pool_to(server, size=3) as pool, ThreadPoolExecutor(3) as callers:
        burst(pool, gate, callers)
        network_changed.set()
        with pytest.raises(TimeoutError):
            ask(pool, seconds=0.05)
        gate.go.release()
        assert ask(pool, seconds=PATIENCE) == b"{}"
        assert len(server.received) == 4


def test_nothing_is_sent_over_a_connection_that_the_server_has_ended() -> None:
    over, heard = threading.Event(), []

    def ending(connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(http(b"one"))
        connection.shutdown(socket.SHUT_WR)
        over.set()
        heard.append(connection.recv(65536))

    with peer(ending, answering(http(b"two"))) as server, pool_to(server) as pool:
        assert ask(pool) == b"one"
        assert over.wait(PATIENCE)
        assert ask(pool) == b"two"
        until(lambda: bool(heard))
    assert heard == [b""]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # for a socket that was opened when the interrupt came
@pytest.mark.parametrize("before", [0, 1], ids=["no connection yet", "an idle connection"])
def test_a_call_that_is_interrupted_anywhere_loses_no_place(before: int) -> None:
    with peer(answering(http())) as server, pool_to(server) as pool:
        points = 0
        for points in interrupted_at_each_point(signer_aws_kms.pool, lambda: ask(pool)):
            assert (len(pool._waiting), pool._free + len(pool._idle)) == (0, 1), f"point {points}"
            for _ in range(before):
                ask(pool)
            if not before:
                pool.close_idle()
        assert points > 10


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_call_that_is_interrupted_anywhere_lets_the_next_one_in() -> None:
    waiting: list[Future[bytes]] = []

    def queue_another(connection: socket.socket) -> None:
        while request_from(connection):
            if not waiting:
                waiting.append(callers.submit(ask, pool))
                until(lambda: len(pool._waiting) == 1)
            connection.sendall(http())

    with peer(queue_another) as server, pool_to(server) as pool, ThreadPoolExecutor(1) as callers:
        for point in interrupted_at_each_point(signer_aws_kms.pool, lambda: ask(pool)):
            for call in waiting:
                assert call.result(PATIENCE) == b"{}", f"point {point}"
            waiting.clear()
            assert pool._free + len(pool._idle) == 1, f"point {point}"
        assert [call.result(PATIENCE) for call in waiting] == [b"{}"]


def test_closing_the_idle_ones_leaves_a_pool_that_goes_on() -> None:
    with peer(answering(http())) as server, pool_to(server) as pool:
        ask(pool)
        pool.close_idle()
        assert ask(pool) == b"{}"
        assert len(server.received) == 2
