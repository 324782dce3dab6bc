"""A batch for any executor of :mod:`concurrent.futures`: cut into chunks, handed over, put together in order.

A ``ThreadPoolExecutor`` signs with this very signer. Any other executor may take its work to another process or another
machine, so what it gets is the signer's configuration: see :mod:`signer_core.workers`.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue

from signer_core.calls import Batch
from signer_core.deadline import Deadline
from signer_core.errors import SignerError, SignError
from signer_core.key_contract import FOREIGN
from signer_core.parallel import check_count
from signer_core.parts import Part, Reopening, name_of, parts_elsewhere, parts_here, pickled

_Signing = Future[list[bytes]]
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
        raise TypeError(f"executor must be a concurrent.futures.Executor, not {name_of(executor)}")
    if concurrency is not None:
        check_count("concurrency", concurrency)
    with beginning as batch:
        if isinstance(executor, ThreadPoolExecutor):
            return _signed(executor, list(parts_here(messages, batch, concurrency or 1)), batch, here=True)
        signer = pickled(reopening, batch, executor)
        parts = parts_elsewhere(messages, batch, signer, concurrency if remote else concurrency or 1)
        return _signed(executor, list(parts), batch, here=False)


def _signed(executor: Executor, parts: Sequence[Part], batch: Batch, *, here: bool) -> list[bytes]:
    numbers: dict[_Signing, int] = {}
    ended: SimpleQueue[_Signing] = SimpleQueue()
    signatures: dict[int, list[bytes]] = {}
    handed_over_again: set[int] = set()

    def hand_over(number: int) -> None:
        future = _submitted(executor, parts[number])
        numbers[future] = number
        future.add_done_callback(ended.put)  # wait() would not learn of those that a shutdown cancels

    def take(future: _Signing) -> None:
        number = numbers[future]
        if number not in handed_over_again and _is_lost(future):
            handed_over_again.add(number)
            hand_over(number)
        else:
            signatures[number] = _checked(_result(future, executor), parts[number], executor)

    try:
        for number in range(len(parts)):  # which may take as long as the signing
            batch.deadline.check()
            hand_over(number)
            while not ended.empty():
                take(ended.get())
        while len(signatures) < len(parts):
            take(_next(ended, batch.deadline))
        return [signature for number in range(len(parts)) for signature in signatures[number]]
    finally:
        batch.cancel.set()
        under_way = [future for future in numbers if not future.cancel()]
        if here:
            wait(under_way)  # they use the key; each ends with the message that it is at
        # elsewhere they end by themselves, and nobody learns of it


def _submitted(executor: Executor, part: Part) -> _Signing:
    try:
        return executor.submit(part.function, part.argument)
    except FOREIGN as error:
        if isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
            raise SignError(
                f"{name_of(executor)} takes no work: {error}", remedy="sign the batch with one that was not shut down"
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
        error.add_note(f"in a worker of {name_of(executor)}")
        raise
    except BaseException as error:
        if not isinstance(error, FOREIGN) and type(error).__name__ != _CANCELLED:
            raise
        raise _failure(executor, error) from error


def _checked(signatures: object, part: Part, executor: Executor) -> list[bytes]:
    """``signatures`` if there is one for each message of ``part``: an executor of any make may have lost some."""
    if not isinstance(signatures, list) or not {*map(type, signatures)} <= {bytes}:
        what = "something else than signatures"
    elif len(signatures) != part.messages:
        what = f"{len(signatures)} signatures"
    else:
        return signatures
    raise SignError(
        f"{name_of(executor)} gave {what} for {part.messages} messages; none of the batch's is returned",
        remedy="it loses results, or changes them: sign the batch with another executor",
    )


def _failure(executor: Executor, error: BaseException) -> SignError:
    """What the library lets out where not the signing failed, but the executor."""
    name, kind = name_of(executor), type(error).__name__
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
