"""The encodings of a signature that ``signer sign`` writes, and how they are recognised again."""

import binascii
from collections.abc import Callable, Iterator, Mapping

#: Each encoding, as it is written.
ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "raw": lambda signature: signature,
    "hex": lambda signature: binascii.hexlify(signature) + b"\n",
    "base64": binascii.b2a_base64,
}


def candidates(encoded: bytes) -> Iterator[bytes]:
    """The signatures that ``encoded`` may stand for, each of which may be tried.

    Signatures come in many sizes, so a length decides nothing; the public key does: it verifies none that was not made
    with its private half, whichever way the bytes were read.
    """
    yield encoded
    text = b"".join(encoded.split())
    for decode in (binascii.unhexlify, _from_base64):
        try:
            yield decode(text)
        except ValueError:
            continue


def _from_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)
