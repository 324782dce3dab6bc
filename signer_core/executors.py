"""A batch for any executor of :mod:`concurrent.futures`: cut into chunks, handed over, put together in order.

A ``ThreadPoolExecutor`` signs with this very signer. Any other executor may take its work to another process or another
machine, so what it gets is the signer's configuration: see :mod:`signer_core.workers`.
"""

import contextvars
import pickle
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any

from signer_core.batches import in_order
from signer_core.calls import Batch
from signer_core.deadline import Deadline
from signer_core.errors import SignerError, SignError
from signer_core.key_contract import FOREIGN
from signer_core.parallel import check_count
from signer_core.workers import Chunk, sign_chunk

#: Chunks that a batch is cut into, while they are not too large. How many workers there are, no executor tells: so a
#: dozen of them are all busy until nearly the end.
CHUNKS = 32
#: The most messages in a chunk. Handing it over takes some milliseconds with Dask, signing it some tens of them; and no
#: more than that is lost with a worker.
MOST_MESSAGES = 1024
#: The most bytes in a chunk of several messages, which is held in memory on its way.
MOST_BYTES = 1024 * 1024

#: What opens the signer again, with the key of this fingerprint: a function and its arguments, as ``__reduce__`` gives
#: them. Raises TypeError where nothing does.
Reopening = Callable[[str], tuple[Any, ...]]

_Signing = Future[list[bytes]]
#: What an executor is given to do: a function, and its one argument.
_Part = tuple[Callable[..., list[bytes]], Any]
#: concurrent.futures and asyncio have a class each of that name, and executors raise either.
_CANCELLED = CancelledError.__name__


def sign_batch(
    messages: Sequence[bytes],
    executor: Executor,
    beginning: AbstractContextManager[Batch],
    *,
    reopening: Reopening,
    concurrency: int | None,
    remote: bool,
) -> list[bytes]:
    """The signatures over ``messages``, in their order, made by the executor's workers.

    A chunk is signed with ``concurrency`` threads; where it is None with one, or for a ``remote`` key in another
    process with as many as its signer has. Raises ``TypeError``, ``ValueError`` and ``SignerError``.
    """
    if not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {_name(executor)}")
    if concurrency is not None:
        check_count("concurrency", concurrency)
    with beginning as batch:
        if isinstance(executor, ThreadPoolExecutor):
            return _signed(executor, list(_parts_here(messages, batch, concurrency or 1)), batch, here=True)
        signer = _pickled(reopening, batch, executor)
        parts = _parts_elsewhere(messages, batch, signer, concurrency if remote else concurrency or 1)
        return _signed(executor, list(parts), batch, here=False)


def _signed(executor: Executor, parts: Sequence[_Part], batch: Batch, *, here: bool) -> list[bytes]:
    numbers: dict[_Signing, int] = {}
    ended: SimpleQueue[_Signing] = SimpleQueue()
    signatures: dict[int, list[bytes]] = {}
    handed_over_again: set[int] = set()

    def hand_over(number: int) -> None:
        future = _submitted(executor, *parts[number])
        numbers[future] = number
        future.add_done_callback(ended.put)  # wait() would not learn of those that a shutdown cancels

    try:
        for number in range(len(parts)):
            hand_over(number)
        while len(signatures) < len(parts):
            future = _next(ended, batch.deadline)
            number = numbers[future]
            if number not in handed_over_again and _is_lost(future):
                handed_over_again.add(number)
                hand_over(number)
            else:
                signatures[number] = _result(future, executor)
        return [signature for number in range(len(parts)) for signature in signatures[number]]
    finally:
        batch.cancel.set()
        under_way = [future for future in numbers if not future.cancel()]
        if here:
            wait(under_way)  # they use the key; each ends with the message that it is at
        # elsewhere they end by themselves, and nobody learns of it


def chunks(messages: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The messages in their order, in chunks."""
    most = min(MOST_MESSAGES, -(-len(messages) // CHUNKS))
    chunk: list[bytes] = []
    size = 0
    for message in messages:
        if chunk and (len(chunk) == most or size + len(message) > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += len(message)
    if chunk:
        yield chunk


def _parts_here(messages: Sequence[bytes], batch: Batch, concurrency: int) -> Iterator[_Part]:
    def sign(chunk: list[bytes]) -> list[bytes]:
        return in_order(batch.sign, chunk, concurrency=concurrency, cancel=threading.Event())

    for chunk in chunks(messages):
        context = contextvars.copy_context()
        yield lambda chunk, context=context: context.run(sign, chunk), chunk


def _parts_elsewhere(
    messages: Sequence[bytes], batch: Batch, signer: bytes, concurrency: int | None
) -> Iterator[_Part]:
    name = uuid.uuid4()
    for number, chunk in enumerate(chunks(messages)):
        yield (
            sign_chunk,
            Chunk(
                name=f"{name}-{number}",
                signer=signer,
                fingerprint=batch.public_key.fingerprint,
                messages=chunk,
                seconds=batch.deadline.remaining(),
                concurrency=concurrency,
            ),
        )


def _pickled(reopening: Reopening, batch: Batch, executor: Executor) -> bytes:
    try:
        return pickle.dumps(reopening(batch.public_key.fingerprint))
    except TypeError as error:
        raise TypeError(
            f"{error}; {_name(executor)} may take it to other processes, only a ThreadPoolExecutor does not"
        ) from error


def _submitted(executor: Executor, function: Callable[..., list[bytes]], argument: object) -> _Signing:
    try:
        return executor.submit(function, argument)
    except FOREIGN as error:
        if isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
            raise SignError(
                f"{_name(executor)} takes no work: {error}", remedy="sign the batch with one that was not shut down"
            ) from error
        raise _failure(executor, error) from error


def _next(ended: "SimpleQueue[_Signing]", deadline: Deadline) -> _Signing:
    while True:
        remaining = deadline.remaining()
        try:
            return ended.get(timeout=None if remaining is None else min(remaining, threading.TIMEOUT_MAX))
        except Empty:
            deadline.check()


def _is_lost(future: _Signing) -> bool:
    """Whether neither signing nor the executor as a whole failed, but something with this part.

    When a worker dies, Dask signs its parts elsewhere; but if it dies just when a result arrives, Dask's executor takes
    that result for an error, and fails with a ``ValueError`` of its own.
    """
    error = None if future.cancelled() else future.exception()
    whole = SignerError, BrokenExecutor, CancelledError
    return isinstance(error, Exception) and not isinstance(error, whole)


def _result(future: _Signing, executor: Executor) -> list[bytes]:
    try:
        return future.result()
    except SignerError as error:
        error.add_note(f"in a worker of {_name(executor)}")
        raise
    except BaseException as error:
        if not isinstance(error, FOREIGN) and type(error).__name__ != _CANCELLED:
            raise
        raise _failure(executor, error) from error


def _failure(executor: Executor, error: BaseException) -> SignError:
    """What the library lets out where not the signing failed, but the executor."""
    name, kind = _name(executor), type(error).__name__
    if isinstance(error, BrokenExecutor):
        return SignError(
            f"{name} is broken ({kind}): a worker ended, or could not begin",
            remedy="find out why (its memory?), and sign the batch with a new executor",
        )
    if kind == _CANCELLED:
        return SignError(
            f"{name} cancelled a part of the batch",
            remedy="it was shut down, or lost its workers; sign the batch again when they are there",
            retryable=True,
        )
    return SignError(
        f"{name} failed ({kind})",
        remedy="is it open, and what do its workers' logs say? each needs the distributions that are installed here",
        retryable=isinstance(error, OSError),
    )


def _name(executor: object) -> str:
    return type(executor).__qualname__
