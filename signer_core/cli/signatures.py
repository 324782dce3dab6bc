"""The encodings of a signature that ``signer sign`` writes, and how they are recognised again."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping

#: Each encoding, as it is written.
ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "raw": lambda signature: signature,
    "hex": lambda signature: signature.hex().encode() + b"\n",
    "base64": lambda signature: base64.b64encode(signature) + b"\n",
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
    return base64.b64decode(text, validate=True)
