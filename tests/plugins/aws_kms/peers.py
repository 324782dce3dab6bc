"""Servers that say what a test tells them, and clocks that tests turn."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import attrs

#: Seconds in which anything must be done that is not meant to wait.
PATIENCE = 30.0
#: Seconds by which a call may outlast its deadline.
GRACE = 0.25
#: Seconds in which a call must be over that waits in vain.
BUDGET = 0.4


@attrs.define
class Peer:
    """A listening socket on 127.0.0.1 and what is done with each connection to it."""

    port: int
    #: What each connection received, in the order of connecting.
    received: list[bytearray] = attrs.field(factory=list)


@contextlib.contextmanager
def peer(*scripts: Callable[[socket.socket], None]) -> Iterator[Peer]:
    """A server whose connections are handled by the scripts, in this order; the last one handles all further ones."""
    listening = socket.create_server(("127.0.0.1", 0))
    running = Peer(listening.getsockname()[1])
    connected: list[socket.socket] = []

    def serve() -> None:
        for number in range(1_000_000):
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connected.append(connection)
            running.received.append(bytearray())
            script = scripts[min(number, len(scripts) - 1)]
            threading.Thread(target=handle, args=(script, connection), daemon=True).start()

    def handle(script: Callable[[socket.socket], None], connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            script(connection)

    accepting = threading.Thread(target=serve, daemon=True)
    accepting.start()
    try:
        yield running
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for connection in connected:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        accepting.join(PATIENCE)


def request_from(connection: socket.socket) -> bytes:
    """The next request, its body included; nothing if the connection ends."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        size = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0].strip() or b"0"
        if end and len(body) >= int(size):
            return data
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk


def answering(*answers: bytes) -> Callable[[socket.socket], None]:
    """Answers so many requests, the last answer for ever."""

    def script(connection: socket.socket) -> None:
        for number in range(1_000_000):
            if not request_from(connection):
                return
            connection.sendall(answers[min(number, len(answers) - 1)])

    return script


def http(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> bytes:
    """An HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def silent(connection: socket.socket) -> None:
    """Never answers."""
    while connection.recv(65536):
        pass


def closing(connection: socket.socket) -> None:
    """Closes after the first request, without an answer."""
    request_from(connection)


def once(answer: bytes) -> Callable[[socket.socket], None]:
    """Answers one request and closes."""

    def script(connection: socket.socket) -> None:
        request_from(connection)
        connection.sendall(answer)

    return script


@attrs.define
class Clock:
    """A clock that stands until it is turned."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Measured:
    """Holds the block to the deadline of a call that has ``seconds``, and to GRACE.

    A thread that wakes all the while tells for how long the machine, beside other work, kept everybody waiting.
    """

    def __init__(self, seconds: float = BUDGET) -> None:
        self._seconds = seconds
        self._over = threading.Event()
        self._stalled = 0.0
        self._watching = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        tick = 0.01
        while not self._over.is_set():
            before = time.monotonic()
            self._over.wait(tick)
            self._stalled += max(0.0, time.monotonic() - before - tick)

    def __enter__(self) -> None:
        self._watching.start()
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        taken = time.monotonic() - self._started
        self._over.set()
        self._watching.join()
        late = taken - self._seconds - self._stalled
        assert late <= GRACE, f"it took {taken:.2f}s, in which the machine stood still for {self._stalled:.2f}s"
