"""The calls of one signer that take their time: under a deadline, in threads for asyncio, in batches.

What is signed is a message, or the digest of one; the :class:`OpenKey` has a way for each of the two.

Each of them enters the key that the signer uses, and leaves it at its end, so that a close waits for it.
"""

import functools
import operator
import os
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from signer_core import parallel
from signer_core.attempts import Attempts
from signer_core.current_key import CurrentKey
from signer_core.deadline import Deadline
from signer_core.errors import SignerClosedError
from signer_core.hookspecs import SigningKey
from signer_core.open_key import OpenKey
from signer_core.public_key import PublicKey
from signer_core.way import Way

#: Which way of the key is gone.
WayOf = Callable[[OpenKey], Way]

OF_MESSAGES: WayOf = operator.attrgetter("sign")
OF_DIGESTS: WayOf = operator.attrgetter("sign_digest")

#: Calls to a remote backend mostly wait; calls to a local one take a core each.
_REMOTE_CONCURRENCY = 64
#: How many messages a batch looks ahead for each of its threads, where its caller does not say.
_LOOKAHEAD = 4


class Batch(NamedTuple):
    """Messages that are signed with one and the same key, until its deadline, or until ``cancel`` is set."""

    sign: Callable[[bytes], bytes]
    public_key: PublicKey
    deadline: Deadline
    cancel: threading.Event


def default_concurrency(key: SigningKey, *, remote: bool) -> int:
    """How many calls with ``key`` are made at once, where nobody says it."""
    if key.concurrency is not None:
        return key.concurrency
    if remote:
        return _REMOTE_CONCURRENCY
    # not all cores of the machine, where the process has only some of them
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Calls:
    """The calls that sign with ``key``, each in the budget that ``attempts`` gives it.

    ``concurrency`` is the number of threads for calls that are awaited, and the one that batches start with.
    """

    __slots__ = ("_attempts", "_key", "_threads", "concurrency")

    def __init__(self, key: CurrentKey, attempts: Attempts, *, concurrency: int) -> None:
        parallel.check_count("concurrency", concurrency)
        self._key = key
        self._attempts = attempts
        self.concurrency = concurrency
        self._threads = parallel.Threads(concurrency)

    def one(self, way: WayOf, content: bytes, *, timeout: float | None, cancel: threading.Event | None) -> bytes:
        """One signature."""
        deadline = self._attempts.deadline(timeout, cancel)
        deadline.check()
        return self._signed(way, content, deadline)

    def awaited(self, way: WayOf, content: bytes, *, timeout: float | None) -> Coroutine[Any, Any, bytes]:
        """One signature, to be awaited; its time begins now."""
        cancel = threading.Event()
        return self._awaited(way, content, self._attempts.deadline(timeout, cancel), cancel)

    def many(self, messages: Sequence[bytes], *, concurrency: int | None, timeout: float | None) -> list[bytes]:
        """The signatures over ``messages``, in their order, with one key."""
        if concurrency is None:
            concurrency = self.concurrency
        parallel.check_count("concurrency", concurrency)
        from signer_core import batches  # here: who signs one at a time has no use for it

        with self.batch(timeout) as batch:
            return batches.in_order(batch.sign, messages, concurrency=concurrency, cancel=batch.cancel)

    @contextmanager
    def batch(self, timeout: float | None) -> Iterator[Batch]:
        """A batch that begins now, and is a call until the end of the ``with``."""
        cancel = threading.Event()
        deadline = self._attempts.deadline(timeout, cancel)
        call = object()
        try:
            key = self._key.enter_renewed(call, deadline)

            def sign(message: bytes) -> bytes:
                deadline.check()
                return key.sign(message, deadline)

            yield Batch(sign, key.public_key, deadline, cancel)
        finally:
            self._key.leave(call)

    def each(
        self, messages: Iterable[bytes], *, lookahead: int | None, concurrency: int | None, timeout: float | None
    ) -> Generator[bytes, None, None]:
        """The signatures over ``messages``, in their order, one after another; each of them is a call of its own."""
        if concurrency is None:
            concurrency = self.concurrency
        parallel.check_count("concurrency", concurrency)
        if lookahead is None:
            lookahead = _LOOKAHEAD * concurrency
        parallel.check_count("lookahead", lookahead)
        cancel = threading.Event()
        deadline = self._attempts.deadline(timeout, cancel)
        self._key.check_open()

        def sign(message: bytes) -> bytes:
            # the time of each begins here; where there is no limit, one deadline serves them all
            own = deadline if deadline.seconds is None else self._attempts.deadline(timeout, cancel)
            own.check()
            return self._signed(OF_MESSAGES, message, own)

        from signer_core import batches

        return batches.one_by_one(sign, messages, concurrency=concurrency, lookahead=lookahead, cancel=cancel)

    def end_threads(self) -> None:
        """Let the threads for awaited calls end."""
        self._threads.close()

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._threads = parallel.Threads(self.concurrency)

    async def _awaited(self, way: WayOf, content: bytes, deadline: Deadline, cancel: threading.Event) -> bytes:
        call = object()
        try:
            held = self._key.enter(call)  # now, so that close() waits for the call while it still waits for a thread
            signing = self._threads.submit(functools.partial(self._signed_held, held, way, content, deadline))
        except BaseException:
            self._key.leave(call)
            raise
        signing.add_done_callback(lambda _: self._key.leave(call))
        try:
            return await parallel.outcome(signing, deadline=deadline, cancel=cancel)
        finally:
            del signing  # else an error would hold this frame, which holds it

    def _signed(self, way: WayOf, content: bytes, deadline: Deadline) -> bytes:
        call = object()
        try:
            key = self._key.enter_renewed(call, deadline)
            deadline.check()  # the renewal may have taken its time
            return way(key)(content, deadline)
        finally:
            self._key.leave(call)

    def _signed_held(self, held: OpenKey, way: WayOf, content: bytes, deadline: Deadline) -> bytes:
        """A signature for a call that holds ``held`` since it was made: by a newer key, if there is one by now."""
        deadline.check()
        if not self._key.is_renewed:
            return way(held)(content, deadline)
        try:
            return self._signed(way, content, deadline)
        except SignerClosedError:
            return way(held)(content, deadline)  # closed meanwhile; close() waits for what it holds
