"""How ``signer sign`` signs files of any size: whole while they are small, else by their digest, in constant memory."""

import io
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signer_core.cli.failures import Failure
from signer_core.cli.input import PIECE, Input, opened
from signer_core.cli.progress import Bar
from signer_core.errors import (
    MessageTooLargeError,
    PolicyViolationError,
    SignCancelledError,
    UnsupportedAlgorithmError,
)

if TYPE_CHECKING:
    from signer_core.signer import Signer

#: In bytes: what is larger is signed by its digest, if it can be, and files that are signed together have no more.
LARGE = 64 * 1024 * 1024
_LOOKAHEAD = 2  # files for each thread whose signatures may be there before that of the one before them


def signature_of(signer: "Signer", message: Input, bar: Bar, *, cancel: threading.Event | None = None) -> bytes:
    """The signature over what is in an open file; ``bar`` makes a step for each piece of a large one."""
    most = _signed_whole(signer)
    head = message.read(most + 1)
    if len(head) <= most:
        return signer.sign(head, cancel=cancel)

    def give(take: Callable[[bytes | memoryview], object]) -> None:
        take(head)
        bar.update(len(head) // PIECE)
        for piece in message.pieces():
            if cancel is not None and cancel.is_set():
                raise SignCancelledError(f"the signing of {message.name} was cancelled")
            take(piece)
            bar.update(1)

    key = signer.public_key
    try:
        hasher = signer.hasher()
    except UnsupportedAlgorithmError:
        if signer.max_message_bytes is not None:
            raise _too_large(signer, message.name, message.size) from None
        content = io.BytesIO()
        give(content.write)
        return signer.sign(content.getvalue(), cancel=cancel)
    except PolicyViolationError as error:
        error.add_note(f"{message.name} has more than {most} bytes, so it is signed by its digest")
        raise
    give(hasher.update)
    signature = signer.sign_digest(hasher.digest(), cancel=cancel)
    if signer.public_key != key:  # a digest may belong to one key
        raise Failure(f"the key changed while {message.name} was read", remedy="sign it again")
    return signature


def signatures_of(
    signer: "Signer", files: Iterable[str], bar: Bar, *, is_signed: Callable[[str], bool] = lambda _: False
) -> Generator[bytes | None, None, None]:
    """The signature over each of the files, in their order; None for one that ``is_signed`` already. ``bar`` as above.

    As many are signed at once as the signer can serve. Each is read where and when it is signed, but all those that are
    in memory together have :data:`LARGE` bytes at most, or are one file. What fails is raised at its place, and nothing
    further is begun; so it is when the iterator is closed.
    """
    from signer_core.batches import one_by_one

    cancel = threading.Event()
    memory = _Memory(LARGE)

    def signature(file: str) -> bytes | None:
        with opened(file) as message, memory.taken(message.size):
            if is_signed(file):
                bar.update(steps_to_sign(signer, message.size) - 1)
                return None
            return signature_of(signer, message, bar, cancel=cancel)

    at_once = signer.concurrency
    return one_by_one(signature, files, concurrency=at_once, lookahead=_LOOKAHEAD * at_once, cancel=cancel)


def check_sizes(signer: "Signer", sizes: Mapping[str, int]) -> None:
    """Raise MessageTooLargeError where one of these files has a size, in bytes, that the key signs in no way."""
    most = signer.max_message_bytes
    larger = [name for name, size in sizes.items() if most is not None and size > most]
    if larger:
        try:
            signer.hasher()
        except UnsupportedAlgorithmError:
            raise _too_large(signer, larger[0], sizes[larger[0]]) from None
        except PolicyViolationError:  # told when it is signed, and not of one that is signed already
            pass


def steps_to_sign(signer: "Signer", size: int | None) -> int:
    """How many steps the signature over a file of so many bytes is: one, and one for each piece of a large one."""
    return 1 if size is None or size <= _signed_whole(signer) else 1 + size // PIECE


def _signed_whole(signer: "Signer") -> int:
    """The largest message, in bytes, that is given to the signer as it is."""
    return LARGE if signer.max_message_bytes is None else min(LARGE, signer.max_message_bytes)


class _Memory:
    """Room for so many bytes, which threads share."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int | None) -> Iterator[None]:
        """Wait for room for so many bytes, or for all there is where they are more, or nobody knows how many."""
        size = self._size if size is None else min(size, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


def _too_large(signer: "Signer", name: str, size: int | None) -> MessageTooLargeError:
    from signer_core.algorithms import FACTS

    limit = signer.max_message_bytes
    told = f"more than {limit}" if size is None else size
    return MessageTooLargeError(
        f"{name} has {told} bytes, and this key signs at most {limit}",
        remedy=FACTS[signer.algorithm].why_not_larger,
        limit=limit,
        size=size,
    )
