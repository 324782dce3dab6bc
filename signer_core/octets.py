"""What is given to be signed or verified: bytes that nobody can change meanwhile."""

from collections.abc import Iterable, Iterator


def copied(content: bytes | bytearray | memoryview, name: str) -> bytes:
    """``content``, the argument ``name``, as bytes. Raises TypeError."""
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(f"{name} must be bytes, bytearray or memoryview, not {type(content).__name__}")
    return bytes(content)


def copies(messages: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Each of them as bytes, once it is taken. Raises TypeError, at once where one message stands for many."""
    if isinstance(messages, bytes | bytearray | memoryview | str):
        kind = type(messages).__name__
        raise TypeError(f"messages must be an iterable of messages, not {kind}: write [message] for a single one")
    return (copied(message, "message") for message in messages)
