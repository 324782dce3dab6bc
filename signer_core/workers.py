"""What an executor's worker does with its part of a batch: in another process, perhaps on another machine."""

import pickle
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs

from signer_core.deadline import Deadline
from signer_core.errors import KeyMismatchError, PluginContractError
from signer_core.forks import tell_after_fork

#: Signers that a process keeps open for the next chunk; one that is used is kept in any case.
MOST_KEPT = 16


@attrs.frozen(kw_only=True, eq=False, repr=False)  # messages are shown nowhere: Dask logs what a task was given
class Chunk:
    """A part of a batch, with all that a worker needs to sign it."""

    #: Which no other chunk has: Dask takes equal work for one, and gives a result that it has already.
    name: str
    #: Pickled: a function that opens the signer, and its arguments; and the fingerprint of the key of the whole batch.
    signer: bytes
    fingerprint: str
    messages: list[bytes]
    #: The seconds that were left for the batch when the chunk was handed over; None for no limit.
    seconds: float | None
    #: The threads that sign it; None for as many as the signer has by itself.
    concurrency: int | None


def sign_chunk(chunk: Chunk) -> list[bytes]:
    """The signatures over the chunk's messages, in their order. Raises what opening and signing do."""
    deadline = Deadline.after(chunk.seconds)
    with _kept.opened(chunk.signer, deadline) as signer:
        _check_key(signer, chunk)
        remaining = deadline.remaining()
        if remaining == 0.0:
            deadline.check()
        unlimited = float("inf")
        signatures: list[bytes] = signer.sign_many(
            chunk.messages,
            concurrency=chunk.concurrency,
            timeout=unlimited if remaining is None else remaining,
        )
        _check_key(signer, chunk)  # all of them were made with one key, which a renewal may just have replaced
        return signatures


def _check_key(signer: Any, chunk: Chunk) -> None:
    if signer.public_key.fingerprint != chunk.fingerprint:
        raise KeyMismatchError(
            "the key was replaced by another one while the batch was signed", remedy="sign the batch again"
        )


class Kept:
    """Signers, each opened once for all chunks that come to this process, and kept for the next ones.

    The one that is unused for longest is closed when there are too many. At the end of the process they end with it, as
    other signers do that nobody closes.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self.forget_other_threads()
        tell_after_fork(self)

    def forget_other_threads(self) -> None:
        """In a forked child, which opens its own: see :mod:`signer_core.forks`."""
        self._changes = threading.Lock()
        self._signers: OrderedDict[bytes, _Kept] = OrderedDict()

    @contextmanager
    def opened(self, pickled: bytes, deadline: Deadline) -> Iterator[Any]:
        """The signer, in use until the end of the ``with``. Opening it takes the time that it is configured to take;
        whoever waits for another thread to open it waits until the deadline.
        """
        with self._changes:
            kept = self._signers.setdefault(pickled, _Kept())
            kept.users += 1
            self._signers.move_to_end(pickled)
        try:
            yield kept.opened(pickled, deadline)
        finally:
            with self._changes:
                kept.users -= 1
                surplus = self._surplus()
            for each in surplus:
                each.close()

    def _surplus(self) -> "list[_Kept]":
        """Those to be closed, already taken out: the ones unused for longest, and any that could not be opened."""
        idle = [pickled for pickled, kept in self._signers.items() if kept.users == 0]
        above = max(0, len(self._signers) - self._most)
        gone = [
            pickled for number, pickled in enumerate(idle) if number < above or self._signers[pickled].signer is None
        ]
        return [self._signers.pop(pickled) for pickled in gone]


class _Kept:
    """One signer, and how many chunks are being signed with it."""

    __slots__ = ("_opening", "signer", "users")

    def __init__(self) -> None:
        self.users = 0
        self.signer: Any = None
        self._opening = threading.Lock()

    def opened(self, pickled: bytes, deadline: Deadline) -> Any:
        remaining = deadline.remaining()
        while not self._opening.acquire(timeout=-1 if remaining is None else min(remaining, threading.TIMEOUT_MAX)):
            deadline.check()
        try:
            if self.signer is None:
                function, arguments = pickle.loads(pickled)  # noqa: S301 — whoever hands over work may have any done
                self.signer = function(*arguments)
            return self.signer
        finally:
            self._opening.release()

    def close(self) -> None:
        if self.signer is not None:
            with suppress(PluginContractError):  # the log has it, and the chunk has its signatures
                self.signer.close()


# State that belongs to the process: nothing else outlives the chunks, and opening a signer for each one would cost more
# than signing it does. It is empty where nobody's executor hands over chunks.
_kept = Kept()
