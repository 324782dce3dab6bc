"""One connection of a client: HTTP/1.1 requests in, answers out, one after the other."""

import contextlib
import http
import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate

import attrs

from signer_aws_kms.testing.answers import Answer, Delivery

_MAX_HEAD = 64 * 1024
_MAX_BODY = 1024 * 1024
_NO_LINGERING = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class ProtocolError(Exception):
    """What came is not an HTTP request that this server takes."""


@attrs.frozen(kw_only=True)
class HttpRequest:
    """One request; the names of ``headers`` are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """Serves one connection until either side ends it."""

    def __init__(
        self,
        connected: socket.socket,
        *,
        handle: Callable[[HttpRequest], Answer],
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], object],
        stopped: threading.Event,
    ) -> None:
        self._socket = connected
        self._handle = handle
        self._clock = clock
        self._pause = pause
        self._stopped = stopped
        self._received = bytearray()

    def serve(self) -> None:
        """Answer requests until the connection ends."""
        with contextlib.suppress(OSError, ProtocolError), self._socket:
            while (request := self._read()) is not None:
                answer = self._handle(request)
                last = request.headers.get("connection", "").lower() == "close"
                if not self._deliver(answer, last=last) or last:
                    break

    def end(self) -> None:
        """End it from another thread, which also ends a read in progress."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> HttpRequest | None:
        head = self._take_until(b"\r\n\r\n")
        if head is None:
            return None
        try:
            method, target, headers = _parsed(head)
            size = int(headers.get("content-length", "0"))
        except ValueError:
            raise ProtocolError("the head of the request is not HTTP") from None
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "transfer-encoding" in headers or not 0 <= size <= _MAX_BODY:
            raise ProtocolError("a body must have its length, and not too much of it")
        if "://" in target:  # as a client writes it to a proxy
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        return HttpRequest(method=method, path=target, headers=headers, body=self._take(size))

    def _take_until(self, end: bytes) -> bytes | None:
        while (position := self._received.find(end)) < 0:
            if len(self._received) > _MAX_HEAD:
                raise ProtocolError("the head of the request is too long")
            if not self._receive():
                return None
        head = bytes(self._received[:position])
        del self._received[: position + len(end)]
        return head

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            if not self._receive():
                raise ProtocolError("the request ends in its middle")
        body = bytes(self._received[:size])
        del self._received[:size]
        return body

    def _receive(self) -> bool:
        try:
            chunk = self._socket.recv(64 * 1024)
        except ValueError:  # what Python makes of the end of a TLS connection by another thread
            return False
        self._received += chunk
        return bool(chunk)

    def _deliver(self, answer: Answer, *, last: bool) -> bool:
        """Whether the connection goes on."""
        match answer.delivery:
            case Delivery.RESET:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
                return False
            case Delivery.CLOSE:
                return False
            case Delivery.HANG:
                self._hang(answer.until)
        content = self._encoded(answer, last=last)
        match answer.delivery:
            case Delivery.HALF:
                self._socket.sendall(content[: -len(answer.body) // 2])
                return False
            case Delivery.DRIP:
                for byte in content:
                    if self._stopped.is_set():
                        return False
                    self._socket.sendall(bytes([byte]))
                    self._pause(answer.interval)
            case _:
                self._socket.sendall(content)
        return True

    def _hang(self, until: threading.Event | None) -> None:
        if until is None:
            self._stopped.wait()
        while until is not None and not until.is_set() and not self._stopped.is_set():
            until.wait(0.05)  # two events cannot be waited for at once
        if self._stopped.is_set():
            raise ProtocolError("the server stops")

    def _encoded(self, answer: Answer, *, last: bool) -> bytes:
        headers = {
            "x-amzn-RequestId": str(uuid.uuid4()),
            "Date": formatdate(self._clock(), usegmt=True),
            "Cache-Control": "no-cache, no-store, must-revalidate, private",
            **answer.headers,
            "Content-Length": str(len(answer.body)),
        }
        if last:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


def _parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and headers; ValueError if the first line is none of a request."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    fields = (line.partition(":") for line in lines)
    return method, target, {name.strip().lower(): value.strip() for name, _, value in fields}
