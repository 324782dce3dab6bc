"""libp2p's protobuf of a public key: its type and its data (libp2p specs, peer-ids)."""

#: The tags of the two fields, in the order that the specification prescribes.
_TYPE, _DATA = 0x08, 0x12
_LONGEST = 5  # bytes of a length


def encode(number: int, data: bytes) -> bytes:
    """The message; ``number`` is below 128."""
    return bytes((_TYPE, number, _DATA)) + _varint(len(data)) + data


def decode(encoded: object) -> tuple[int, bytes]:
    """The number of the key's type, and its data. Raises ValueError for what :func:`encode` does not write, and
    TypeError for what is not bytes.
    """
    message = memoryview(encoded).tobytes()  # type: ignore[arg-type]
    number = message[1] if len(message) > 1 else 0
    length = 1
    while length < _LONGEST and len(message) > 2 + length and message[2 + length] & 0x80:
        length += 1
    data = message[3 + length :]
    if number > 0x7F or encode(number, data) != message:
        raise ValueError("it is no public key of libp2p's")
    return number, data


def _varint(number: int) -> bytes:
    """As protobuf writes it: seven bits in each byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*encoded, number))
