"""The encodings of a signature that ``signer sign`` writes, and how they are recognised again."""

import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from signer_core.cli.input import Input
from signer_core.cli.progress import progress, steps_of
from signer_core.errors import InvalidSignatureError, UnsupportedAlgorithmError

if TYPE_CHECKING:
    from signer_core.public_key import PublicKey

#: In bytes, far above any signature.
LIMIT = 1024 * 1024

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


def is_one_over(key: "PublicKey", signatures: Iterable[bytes], message: Input, *, label: str | None = None) -> bool:
    """Whether one of the signatures was made over ``message``, which is read in constant memory where it can be.

    Progress is shown where it has a ``label``.
    """
    try:
        hasher = key.hasher()
    except UnsupportedAlgorithmError:
        content = message.read()
        verify: Callable[[bytes, bytes], None] = key.verify
    else:
        with progress(label or "", steps_of(message.size) if label else 0) as bar:
            for piece in message.pieces():
                hasher.update(piece)
                bar.update(1)
        content = hasher.digest()
        verify = key.verify_digest
    for signature in signatures:
        try:
            verify(signature, content)
        except InvalidSignatureError:
            continue
        return True
    return False


def _from_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)
