"""How ``signer sign`` signs files of any size: whole while they are small, else by their digest, in constant memory."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from signer_core.cli.failures import Failure
from signer_core.cli.input import PIECE, Input, opened, read
from signer_core.cli.progress import Bar
from signer_core.errors import MessageTooLargeError, PolicyViolationError, UnsupportedAlgorithmError

if TYPE_CHECKING:
    from signer_core.signer import Signer

#: In bytes: what is larger is signed by its digest, if it can be, and files that are signed together have no more.
LARGE = 64 * 1024 * 1024
_AT_ONCE = 64  # files that are signed together; as many as a remote backend is asked for at a time


def signature_of(signer: "Signer", message: Input, bar: Bar) -> bytes:
    """The signature over what is in an open file; ``bar`` makes a step for each piece of a large one."""
    most = _signed_whole(signer)
    head = message.read(most + 1)
    if len(head) <= most:
        return signer.sign(head)

    def give(take: Callable[[bytes | memoryview], object]) -> None:
        take(head)
        bar.update(len(head) // PIECE)
        for piece in message.pieces():
            take(piece)
            bar.update(1)

    key = signer.public_key
    try:
        hasher = signer.hasher()
    except UnsupportedAlgorithmError:
        if signer.max_message_bytes is not None:
            raise _too_large(signer, message) from None
        content = io.BytesIO()
        give(content.write)
        return signer.sign(content.getvalue())
    except PolicyViolationError as error:
        error.add_note(f"{message.name} has more than {most} bytes, so it is signed by its digest")
        raise
    give(hasher.update)
    signature = signer.sign_digest(hasher.digest())
    if signer.public_key != key:  # a digest may belong to one key
        raise Failure(f"the key changed while {message.name} was read", remedy="sign it again")
    return signature


def signatures_of(signer: "Signer", files: Sequence[str], bar: Bar) -> Iterator[tuple[str, bytes]]:
    """The files, each with its signature, in their order; ``bar`` as above."""
    for some in _together(files, _signed_whole(signer)):
        if len(some) == 1:
            with opened(some[0]) as message:
                yield some[0], signature_of(signer, message, bar)
        else:
            yield from zip(some, signer.sign_many([read(file) for file in some]), strict=True)


def steps_to_sign(signer: "Signer", size: int | None) -> int:
    """How many steps the signature over a file of so many bytes is: one, and one for each piece of a large one."""
    return 1 if size is None or size <= _signed_whole(signer) else 1 + size // PIECE


def _signed_whole(signer: "Signer") -> int:
    """The largest message, in bytes, that is given to the signer as it is."""
    return LARGE if signer.max_message_bytes is None else min(LARGE, signer.max_message_bytes)


def _together(files: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """The files in the lots that they are signed in; one that has more than ``most`` bytes is a lot by itself."""
    lot: list[str] = []
    together = 0
    for file in files:
        size = os.path.getsize(file)
        if lot and (len(lot) == _AT_ONCE or together + size > LARGE or size > most):
            yield lot
            lot, together = [], 0
        lot.append(file)
        together += size
        if size > most:
            yield lot
            lot, together = [], 0
    if lot:
        yield lot


def _too_large(signer: "Signer", message: Input) -> MessageTooLargeError:
    from signer_core.algorithms import FACTS

    limit = signer.max_message_bytes
    size = f"more than {limit}" if message.size is None else message.size
    return MessageTooLargeError(
        f"{message.name} has {size} bytes, and this key signs at most {limit}",
        remedy=FACTS[signer.algorithm].why_not_larger,
        limit=limit,
        size=message.size,
    )
