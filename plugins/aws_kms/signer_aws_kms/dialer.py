"""Opening connections along one route: to the first address that takes one, through the proxy, with TLS."""

import socket
import ssl
from collections.abc import Callable

from signer_aws_kms.addresses import Address, Addresses
from signer_aws_kms.connection import Connection, ProxyRefusedError, time_left
from signer_aws_kms.route import Route
from signer_aws_kms.single_flight import SingleFlight
from signer_core.deadline import Deadline


class Dialer:
    """Opens connections along one route. ``tls`` makes the context that they are secured with, if the route has TLS."""

    def __init__(self, route: Route, tls: Callable[[], ssl.SSLContext]) -> None:
        self._route = route
        self._addresses = Addresses(*route.first)
        self._context: ssl.SSLContext | None = None
        # Nobody knows what file system the authorities are on, so they are read in a flight; and beside finding
        # credentials, so that the first call need not wait for it.
        self._trusting = SingleFlight(tls, take=self._trust)
        if route.tls:
            self._trusting.begin()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._addresses.forget_other_threads()
        self._trusting.forget_other_threads()

    def open(self, deadline: Deadline) -> Connection:
        """A new connection. Raises ``OSError``, :class:`ProxyRefusedError`, and what ``tls`` and a deadline raise."""
        connected = self._connect(deadline)
        try:
            if (tunnel := self._route.tunnel) is not None:
                status = Connection(connected).exchange(tunnel, deadline, to_connect=True).status
                if not 200 <= status < 300:
                    raise ProxyRefusedError(status)
            if self._route.tls:
                connected = self._secured(connected, deadline)
        except BaseException:
            connected.close()
            raise
        return Connection(connected)

    def _connect(self, deadline: Deadline) -> socket.socket:
        """A socket to the first address that takes one; each gets its share of the time."""
        addresses = self._addresses.in_order(deadline)
        for count, address in enumerate(addresses):
            left = time_left(deadline)
            try:
                connected = _socket_to(address, None if left is None else left / (len(addresses) - count))
            except OSError:
                self._addresses.failed(address)
                if count + 1 == len(addresses):
                    raise
            else:
                self._addresses.took(address)
                return connected
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")

    def _trust(self, context: ssl.SSLContext) -> None:
        self._context = context

    def _secured(self, connected: socket.socket, deadline: Deadline) -> ssl.SSLSocket:
        context = self._context or self._trusting.result(deadline)
        connected.getpeername()  # if it was reset meanwhile, wrapping would leave it open (in CPython below 3.13)
        secured = context.wrap_socket(connected, server_hostname=self._route.host, do_handshake_on_connect=False)
        try:
            secured.settimeout(time_left(deadline))  # for the whole handshake, however it drips
            secured.do_handshake()
        except BaseException as error:
            secured.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                self._context = None  # perhaps the authorities were replaced: whoever comes next reads them anew
            raise
        return secured


def _socket_to(address: Address, seconds: float | None) -> socket.socket:
    """A socket that is connected, within so many seconds."""
    family, place = address
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connected.settimeout(seconds)
        connected.connect(place)
    except BaseException:
        connected.close()
        raise
    return connected
