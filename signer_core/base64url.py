"""base64url without padding, as JOSE has it (RFC 7515, section 2)."""

import binascii


def encode(raw: bytes) -> str:
    """``raw`` as text."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def decode(text: object) -> bytes:
    """What ``text`` stands for. Raises ValueError for anything that :func:`encode` does not write."""
    if not isinstance(text, str):
        raise ValueError("it is no text")
    raw = binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("it has padding, other characters, or bits that no encoder writes")
    return raw


def encode_number(number: int) -> str:
    """A whole number in as few bytes as there can be (RFC 7518, section 2: Base64urlUInt)."""
    return encode(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


def decode_number(text: object) -> int:
    """The way back. Raises ValueError."""
    raw = decode(text)
    if not raw or (raw[0] == 0 and len(raw) > 1):
        raise ValueError("it is not in as few bytes as there can be")
    return int.from_bytes(raw, "big")


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
