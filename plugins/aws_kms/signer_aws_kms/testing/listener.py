"""The listening socket: a thread that accepts, and one for each connection."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

from signer_aws_kms.testing.connection import Connection

_HANDSHAKE = 10.0  # seconds that a client may take for its part of TLS
_JOIN = 5.0  # seconds to wait for a thread that has nothing more to do


class Listener:
    """Listens on 127.0.0.1 and serves each connection in a thread of its own."""

    def __init__(
        self, connect: Callable[[socket.socket], Connection], *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._connect = connect
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        #: How many connections there were.
        self.opened = 0
        self._open: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="fake-kms", daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """How many connections there are now."""
        with self._lock:
            return len(self._open)

    def end_connections(self) -> None:
        """End those that are open now."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.end()

    def stop(self) -> None:
        """Take no further connection, end the others, and wait for their threads."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()  # wakes the thread that accepts
        self._thread.join(_JOIN)
        self._socket.close()
        with self._lock:
            threads = list(self._open.values())
        self.end_connections()
        for thread in threads:
            thread.join(_JOIN)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            if self._stopping.is_set():
                accepted.close()
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.opened += 1
            threading.Thread(target=self._serve, args=(accepted,), name="fake-kms-connection", daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        if self._tls is not None:
            try:
                accepted.settimeout(_HANDSHAKE)
                accepted = self._tls.wrap_socket(accepted, server_side=True)
                accepted.settimeout(None)
            except OSError:  # the client went away, or does not trust the certificate
                accepted.close()
                return
        connection = self._connect(accepted)
        with self._lock:
            self._open[connection] = threading.current_thread()
        try:
            if self._stopping.is_set():
                connection.end()
            connection.serve()
        finally:
            with self._lock:
                del self._open[connection]
