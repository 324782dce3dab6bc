"""One connection to an endpoint, on which no wait outlasts the deadline of its call."""

import socket
import ssl
import threading
from collections.abc import Callable

from signer_aws_kms.answer import Answer, GarbledError, read_answer
from signer_aws_kms.flight import SingleFlight
from signer_aws_kms.route import Route
from signer_core.deadline import Deadline

_CHUNK = 16 * 1024  # bytes; TLS has no larger records

Address = tuple[int, tuple[str, int]]


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

    __slots__ = ("_heard", "_served", "_socket", "idle_since")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._served = False
        self._heard = False
        self.idle_since = 0.0

    def exchange(self, request: bytes, deadline: Deadline, *, to_connect: bool = False) -> Answer:
        """The answer to ``request``, which may be ``to_connect`` through a proxy. After an error, close the connection.

        Raises ``OSError``, among them :class:`StaleError` and ``TimeoutError``, and :class:`GarbledError`.
        """
        self._heard = False

        def receive() -> bytes:
            self._socket.settimeout(time_left(deadline))
            chunk = self._socket.recv(_CHUNK)
            self._heard = self._heard or bool(chunk)
            return chunk

        try:
            self._send(request, deadline)
            answer = read_answer(receive, to_connect=to_connect)
        except (ConnectionError, GarbledError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            if self._served and not self._heard:
                raise StaleError("the server had closed the connection") from error
            raise
        self._served = True
        return answer

    def _send(self, request: bytes, deadline: Deadline) -> None:
        self._socket.settimeout(time_left(deadline))
        sent = self._socket.send(request)
        while sent < len(request):
            self._socket.settimeout(time_left(deadline))
            sent += self._socket.send(memoryview(request)[sent:])

    def close(self) -> None:
        """Close the socket, without a word to the server."""
        self._socket.close()


class Dialer:
    """Opens connections along one route."""

    def __init__(self, route: Route, tls: Callable[[], ssl.SSLContext]) -> None:
        self.route = route
        self._make_context = tls
        self._context: ssl.SSLContext | None = None
        self._resolution = SingleFlight(self._resolve)
        self._making = threading.Lock()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._resolution.forget_other_threads()
        self._making = threading.Lock()

    def open(self, deadline: Deadline) -> Connection:
        """A new connection. Raises ``OSError`` and :class:`ProxyRefusedError`."""
        connected = self._connect(deadline)
        try:
            if (tunnel := self.route.tunnel) is not None:
                status = Connection(connected).exchange(tunnel, deadline, to_connect=True).status
                if status != 200:
                    raise ProxyRefusedError(status)
            if self.route.tls:
                connected = self._secured(connected, deadline)
        except BaseException:
            connected.close()
            raise
        return Connection(connected)

    def _connect(self, deadline: Deadline) -> socket.socket:
        """A socket to the first address that takes one; each gets its share of the time."""
        addresses = self._addresses(deadline)
        for count, (family, address) in enumerate(addresses):
            left = time_left(deadline)
            connected = socket.socket(family, socket.SOCK_STREAM)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                connected.settimeout(None if left is None else left / (len(addresses) - count))
                connected.connect(address)
                return connected
            except BaseException as error:
                connected.close()
                if not isinstance(error, OSError) or count + 1 == len(addresses):
                    raise
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")

    def _addresses(self, deadline: Deadline) -> list[Address]:
        nearest = self.route.proxy or self.route
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, nearest.host)
            except OSError:
                continue
            return [(family, (nearest.host, nearest.port))]
        return self._resolution.result(deadline)

    def _resolve(self) -> list[Address]:
        """The addresses of the name. Takes as long as the system likes, so it runs in a flight."""
        nearest = self.route.proxy or self.route
        found = socket.getaddrinfo(nearest.host, nearest.port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]

    def _tls(self) -> ssl.SSLContext:
        """The one context of all connections, made with the first of them: reading the authorities takes a while."""
        with self._making:
            if self._context is None:
                self._context = self._make_context()
            return self._context

    def _secured(self, connected: socket.socket, deadline: Deadline) -> ssl.SSLSocket:
        secured = self._tls().wrap_socket(connected, server_hostname=self.route.host, do_handshake_on_connect=False)
        try:
            secured.settimeout(time_left(deadline))  # for the whole handshake, however it drips
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured
