"""The data types of SSH (RFC 4251, section 5), written and read.

What is read must be as it would be written: so no two byte strings mean the same.
"""

from signer_ssh.errors import MalformedError

_LONGEST_NAME = 1024  # bytes, far above any


def uint32(number: int) -> bytes:
    """A number of four bytes."""
    return number.to_bytes(4, "big")


def boolean(value: bool) -> bytes:
    """A truth value."""
    return b"\1" if value else b"\0"


def string(content: bytes) -> bytes:
    """Bytes with their length before them."""
    return uint32(len(content)) + content


def text(content: str) -> bytes:
    """A string in UTF-8."""
    return string(content.encode())


def mpint(number: int) -> bytes:
    """A number that is not negative, in as few bytes as it takes; its first bit would be the sign."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big") if number else b"")


class Reader:
    """Reads one value after the other from ``content``.

    Whatever is wrong with it is a :class:`~signer_ssh.errors.MalformedError`.
    """

    __slots__ = ("_at", "_content")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        end = self._at + size
        if end > len(self._content):
            raise MalformedError("it ends too early")
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def uint32(self) -> int:
        """A number of four bytes."""
        return int.from_bytes(self.take(4), "big")

    def boolean(self) -> bool:
        """A truth value."""
        if (value := self.byte()) > 1:
            raise MalformedError("a truth value is neither true nor false")
        return value == 1

    def string(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.uint32())

    def text(self) -> str:
        """A string in UTF-8, which is not empty, nor very long, and has no NUL, as no name in SSH has one."""
        try:
            content = self.string()
            name = content.decode()
        except UnicodeDecodeError:
            name = ""
        if not name or "\0" in name or len(content) > _LONGEST_NAME:
            raise MalformedError("a name is empty or too long, or no text")
        return name

    def mpint(self) -> int:
        """A number that is not negative."""
        content = self.string()
        number = int.from_bytes(content, "big")
        if string(content) != mpint(number):
            raise MalformedError("a number is negative, or longer than it needs to be")
        return number

    def end(self) -> None:
        """Nothing follows."""
        if self._at != len(self._content):
            raise MalformedError("something follows its end")
