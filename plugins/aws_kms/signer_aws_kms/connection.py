"""One connection to an endpoint, on which no wait outlasts the deadline of its call."""

import socket
import ssl

from signer_aws_kms.answer import Answer, GarbledError, read_answer
from signer_core.deadline import LOOK_UP, Deadline

_CHUNK = 16 * 1024  # bytes; TLS has no larger records


class ProxyRefusedError(Exception):
    """The proxy does not let the connection through; ``status`` is what it answered."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


class StaleError(ConnectionError):
    """A connection that had served before ended before anything of an answer came: the server had closed it."""


def time_left(deadline: Deadline) -> float | None:
    """The timeout of the next step. Raises ``TimeoutError`` when there is none left."""
    left = deadline.remaining()
    if left == 0:
        raise TimeoutError
    return left


class Connection:
    """A connected socket, on which one request at a time is answered."""

    #: When its last answer came, on the clock of the pool that keeps it.
    idle_since: float
    _served = False

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def exchange(self, request: bytes, deadline: Deadline, *, to_connect: bool = False) -> Answer:
        """The answer to ``request``, which may be ``to_connect`` through a proxy. After an error, close the connection.

        Raises ``OSError``, among them :class:`StaleError` and ``TimeoutError``, :class:`GarbledError`, and
        :class:`~signer_core.errors.SignCancelledError` when nobody wants the answer any more.
        """
        heard = False

        def receive() -> bytes:
            nonlocal heard
            chunk = self._received(deadline)
            heard = heard or bool(chunk)
            return chunk

        try:
            self._send(request, deadline)
            answer = read_answer(receive, to_connect=to_connect)
        except (ConnectionError, GarbledError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            if self._served and not heard:
                raise StaleError from error
            raise
        self._served = True
        return answer

    def _received(self, deadline: Deadline) -> bytes:
        unwanted = deadline.unwanted
        if unwanted is None:
            self._socket.settimeout(time_left(deadline))
            return self._socket.recv(_CHUNK)
        while True:
            self._socket.settimeout(min(time_left(deadline) or LOOK_UP, LOOK_UP))
            try:
                return self._socket.recv(_CHUNK)
            except TimeoutError:
                if unwanted.is_set():
                    deadline.check()  # which says so

    def _send(self, request: bytes, deadline: Deadline) -> None:
        self._socket.settimeout(time_left(deadline))
        sent = self._socket.send(request)
        while sent < len(request):
            self._socket.settimeout(time_left(deadline))
            sent += self._socket.send(memoryview(request)[sent:])

    def is_quiet(self) -> bool:
        """Nothing has come since the last answer: the server has neither closed the connection nor said more."""
        try:
            self._socket.settimeout(0)
            socket.socket.recv(self._socket, 1, socket.MSG_PEEK)  # below TLS, whose own recv cannot just look
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """Close the socket, without a word to the server."""
        self._socket.close()
