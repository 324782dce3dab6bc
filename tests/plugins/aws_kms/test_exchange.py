"""One request and its answer on a connection: sent whole, received under the deadline, and called off."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from signer_aws_kms.connection import Connection, StaleError, time_left
from signer_core import Deadline
from signer_core.errors import SignCancelledError
from tests.plugins.aws_kms.peers import PATIENCE, Clock, Measured, http, request_from

SMALL = b"POST / HTTP/1.1\r\nHost: kms\r\nContent-Length: 0\r\n\r\n"
#: More than the buffers of both ends take at once.
LARGE = b"POST / HTTP/1.1\r\nHost: kms\r\nContent-Length: 2000000\r\n\r\n" + bytes(range(250)) * 8_000


@contextlib.contextmanager
def connected() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and the server's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(PATIENCE)
        yield Connection(ours), theirs


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


def test_the_time_that_is_left_is_that_of_the_deadline_until_it_is_over() -> None:
    clock = Clock()
    deadline = Deadline.after(1, clock=clock)
    assert (time_left(deadline), time_left(Deadline.after(None))) == (1, None)
    clock.now += 1
    with pytest.raises(TimeoutError):
        time_left(deadline)


def test_a_request_larger_than_all_buffers_comes_whole() -> None:
    with connected() as (connection, server), ThreadPoolExecutor(1) as other:

        def answer() -> bytes:
            request = request_from(server)
            server.sendall(http(b"done"))
            return request

        came = other.submit(answer)
        assert connection.exchange(LARGE, soon()).body == b"done"
        assert came.result(PATIENCE) == LARGE


def test_sending_to_a_server_that_does_not_read_ends_in_time() -> None:
    with connected() as (connection, _), Measured(0.05), pytest.raises(TimeoutError):
        connection.exchange(LARGE, Deadline.after(0.05))


def test_sending_begins_in_time_where_nothing_more_can_be_sent() -> None:
    with connected() as (connection, _):
        with pytest.raises(TimeoutError):
            connection.exchange(LARGE, Deadline.after(0.05))
        with Measured(0.05), pytest.raises(TimeoutError):
            connection.exchange(SMALL, Deadline.after(0.05))


def test_an_answer_that_does_not_come_is_waited_for_in_time() -> None:
    with connected() as (connection, _), Measured(0.05), pytest.raises(TimeoutError):
        connection.exchange(SMALL, Deadline.after(0.05))


@pytest.mark.parametrize("seconds", [None, PATIENCE])
def test_an_answer_is_received_that_might_have_become_unwanted(seconds: float | None) -> None:
    with connected() as (connection, server):
        server.sendall(http(b"one"))
        deadline = Deadline.after(seconds).stopped_by(threading.Event())
        assert connection.exchange(SMALL, deadline).body == b"one"


def test_an_answer_that_might_become_unwanted_may_take_longer_than_a_look_at_that() -> None:
    """The server answers when the connection has looked twice whether anybody wants it."""
    looks, go = [], threading.Event()

    class Unwanted(threading.Event):
        def is_set(self) -> bool:
            looks.append(True)
            if len(looks) == 2:
                go.set()
            return super().is_set()

    with connected() as (connection, server), ThreadPoolExecutor(1) as other:

        def answer() -> None:
            assert go.wait(PATIENCE)
            server.sendall(http(b"late"))

        other.submit(answer)
        assert connection.exchange(SMALL, soon().stopped_by(Unwanted())).body == b"late"


@pytest.mark.parametrize("seconds", [None, PATIENCE])
def test_an_answer_that_nobody_wants_any_more_is_not_waited_for(seconds: float | None) -> None:
    unwanted = threading.Event()
    with connected() as (connection, server), ThreadPoolExecutor(1) as other:

        def call_off() -> None:
            request_from(server)
            unwanted.set()

        other.submit(call_off)
        with pytest.raises(SignCancelledError):
            connection.exchange(SMALL, Deadline.after(seconds).stopped_by(unwanted))


def test_waiting_for_an_answer_that_might_become_unwanted_ends_in_time() -> None:
    deadline = Deadline.after(0.02).stopped_by(threading.Event())
    with connected() as (connection, _), Measured(0.02), pytest.raises(TimeoutError):
        connection.exchange(SMALL, deadline)


def test_a_first_request_without_an_answer_met_no_connection_that_was_closed_before() -> None:
    with connected() as (connection, server):
        server.shutdown(socket.SHUT_WR)
        with pytest.raises(Exception, match="no answer came") as caught:
            connection.exchange(SMALL, soon())
        assert not isinstance(caught.value, StaleError)


def test_a_further_request_without_an_answer_met_a_connection_that_was_closed_before() -> None:
    with connected() as (connection, server):
        server.sendall(http())
        connection.exchange(SMALL, soon())
        server.shutdown(socket.SHUT_WR)
        with pytest.raises(StaleError):
            connection.exchange(SMALL, soon())


def test_a_further_request_with_a_part_of_an_answer_did_not() -> None:
    with connected() as (connection, server):
        server.sendall(http())
        connection.exchange(SMALL, soon())
        server.sendall(http(b"body")[:-1])
        server.shutdown(socket.SHUT_WR)
        with pytest.raises(Exception, match="in the middle of the answer") as caught:
            connection.exchange(SMALL, soon())
        assert not isinstance(caught.value, StaleError)
