"""What is given to be signed or verified: bytes that nobody can change meanwhile."""


def copied(content: bytes | bytearray | memoryview, name: str) -> bytes:
    """``content``, the argument ``name``, as bytes. Raises TypeError."""
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(f"{name} must be bytes, bytearray or memoryview, not {type(content).__name__}")
    return bytes(content)
