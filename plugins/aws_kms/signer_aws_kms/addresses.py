"""The addresses of a host, in the order in which they are worth a try."""

import socket
from typing import Any

from signer_aws_kms.single_flight import SingleFlight
from signer_core.deadline import Deadline

#: The address family, and what :meth:`socket.socket.connect` takes.
Address = tuple[socket.AddressFamily, Any]


class Addresses:
    """Where a host is. It remembers what took no connection, so that a dead address costs its time once."""

    def __init__(self, host: str, port: int) -> None:
        self._literal = _literal(host, port)
        self._place = (host, port)
        self._resolution = SingleFlight(self._resolve)
        self._works: socket.AddressFamily | None = None
        self._failed: frozenset[Address] = frozenset()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._resolution.forget_other_threads()

    def in_order(self, deadline: Deadline) -> list[Address]:
        """The resolver's, but those that failed last, and before them those of the family that works.

        Raises ``OSError``, and what a deadline does.
        """
        if self._literal is not None:
            return [self._literal]
        found = self._resolution.result(deadline)
        self._failed &= frozenset(found)
        return sorted(found, key=lambda address: (address in self._failed, address[0] is not self._works))

    def took(self, address: Address) -> None:
        """A connection was made to ``address``."""
        self._works = address[0]
        self._failed -= {address}

    def failed(self, address: Address) -> None:
        """No connection could be made to ``address``."""
        self._failed |= {address}

    def _resolve(self) -> list[Address]:
        """Takes as long as the system likes, so it runs in a flight."""
        found = socket.getaddrinfo(*self._place, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]


def _literal(host: str, port: int) -> Address | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family, (host, port)
    return None
