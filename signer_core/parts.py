"""The parts of a batch that an executor is given to do."""

import contextvars
import functools
import pickle
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from signer_core.batches import in_order
from signer_core.calls import Batch
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


class Part(NamedTuple):
    """A chunk of the batch, and what makes signatures of it."""

    function: Callable[[Any], list[bytes]]
    argument: Any
    #: As many as there must be signatures.
    messages: int


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


def parts_here(messages: Sequence[bytes], batch: Batch, concurrency: int) -> Iterator[Part]:
    """For threads, which sign with the batch's own key."""

    def sign(context: contextvars.Context, chunk: list[bytes]) -> list[bytes]:
        return context.run(in_order, batch.sign, chunk, concurrency=concurrency, cancel=threading.Event())

    for chunk in chunks(messages):
        yield Part(functools.partial(sign, contextvars.copy_context()), chunk, len(chunk))


def parts_elsewhere(messages: Sequence[bytes], batch: Batch, signer: bytes, concurrency: int | None) -> Iterator[Part]:
    """For other processes, which open the pickled ``signer``."""
    name = uuid.uuid4()
    for number, chunk in enumerate(chunks(messages)):
        task = Chunk(
            name=f"{name}-{number}",
            signer=signer,
            fingerprint=batch.public_key.fingerprint,
            messages=chunk,
            seconds=batch.deadline.remaining(),
            concurrency=concurrency,
        )
        yield Part(sign_chunk, task, len(chunk))


def pickled(reopening: Reopening, batch: Batch, executor: Executor) -> bytes:
    """What opens the batch's signer in another process. Raises ``TypeError`` where nothing does."""
    try:
        return pickle.dumps(reopening(batch.public_key.fingerprint))
    except TypeError as error:
        raise TypeError(
            f"{error}; {name_of(executor)} may take it to other processes, only a ThreadPoolExecutor does not"
        ) from error


def name_of(executor: object) -> str:
    """As messages call it."""
    return type(executor).__qualname__
