"""One HTTP/1.1 answer, read from a stream that may end, drip or be something else."""

import re
from collections.abc import Callable

import attrs

#: Bytes. KMS's largest answers are a few kilobytes; what is longer costs time that no deadline can give back.
_LONGEST_HEAD = _LONGEST_BODY = 64 * 1024

_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([0-9]{3})(?: .*)?", re.DOTALL)

#: Gives the next bytes of the stream, none at its end.
Receive = Callable[[], bytes]


class GarbledError(Exception):
    """What came is no HTTP answer, or not a whole one."""


@attrs.frozen
class Answer:
    """A whole answer."""

    status: int
    #: By names in lower case.
    headers: dict[str, str]
    body: bytes = attrs.field(repr=False)
    #: The connection can carry another request.
    reusable: bool


def read_answer(receive: Receive, *, to_connect: bool = False) -> Answer:
    """The next answer; one ``to_connect`` has no body. Raises :class:`GarbledError`."""
    stream = _Stream(receive)
    while True:
        head = stream.until(b"\r\n\r\n", _LONGEST_HEAD).decode("latin-1").split("\r\n")
        status_line = _STATUS_LINE.fullmatch(head[0])
        if status_line is None:
            raise GarbledError("the answer is not HTTP/1.1")
        minor_version, code = status_line[1], int(status_line[2])
        if code >= 200:
            break
    headers: dict[str, str] = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise GarbledError("a header of the answer has no colon")
        name, value = name.lower(), value.strip()
        if name == "content-length" and headers.get(name, value) != value:
            raise GarbledError("the answer has two lengths")
        headers[name] = value
    body, delimited = (b"", True) if to_connect else _body(stream, code, headers)
    options = [option.strip().lower() for option in headers.get("connection", "").split(",")]
    lasting = minor_version == "1" and "close" not in options
    return Answer(code, headers, body, delimited and lasting and not stream.rest)


def _body(stream: "_Stream", status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether its end was told otherwise than by the end of the stream."""
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked":
            raise GarbledError("the answer is in a transfer encoding other than chunked")
        return _chunks(stream), length is None  # whoever sends both may mean another end (RFC 9112, section 6.3)
    if length is not None:
        return stream.exactly(_number(length, 10)), True
    if status in (204, 304):
        return b"", True
    return stream.all(), False


def _chunks(stream: "_Stream") -> bytes:
    body = bytearray()
    while size := _number(stream.until(b"\r\n", _LONGEST_HEAD).partition(b";")[0].decode("latin-1"), 16):
        body += stream.exactly(size)
        if stream.exactly(2) != b"\r\n":
            raise GarbledError("a chunk of the answer does not end where it should")
        if len(body) > _LONGEST_BODY:
            raise _too_large()
    while stream.until(b"\r\n", _LONGEST_HEAD):
        pass  # trailers
    return bytes(body)


def _number(text: str, base: int) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isalnum():
        raise GarbledError("a length in the answer is not a number")
    try:
        number = int(digits, base)
    except ValueError:
        raise GarbledError("a length in the answer is not a number") from None
    if number > _LONGEST_BODY:
        raise _too_large()
    return number


def _too_large() -> GarbledError:
    return GarbledError(f"the answer is larger than {_LONGEST_BODY} bytes")


class _Stream:
    """The bytes that came, and those that are still to come. What is taken costs the same however it was cut."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.rest = bytearray()

    def until(self, end: bytes, longest: int) -> bytes:
        """What comes before ``end``, which is left out."""
        while (found := self.rest.find(end)) < 0:
            if len(self.rest) > longest:
                raise GarbledError("the head of the answer has no end")
            self._more()
        part = self.exactly(found)
        del self.rest[: len(end)]
        return part

    def exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            self._more()
        part = bytes(self.rest[:size])
        del self.rest[:size]
        return part

    def all(self) -> bytes:
        """What comes before the stream ends."""
        while len(self.rest) <= _LONGEST_BODY and (chunk := self._receive()):
            self.rest += chunk
        if len(self.rest) > _LONGEST_BODY:
            raise _too_large()
        return self.exactly(len(self.rest))

    def _more(self) -> None:
        chunk = self._receive()
        if not chunk:
            raise GarbledError("the connection ended in the middle of the answer" if self.rest else "no answer came")
        self.rest += chunk
