"""The ways to sign with a signer: one message or digest, or many messages, from threads and from asyncio."""

import abc
import threading
from collections.abc import Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any

from signer_core.calls import OF_DIGESTS, OF_MESSAGES, Calls
from signer_core.current_key import CurrentKey
from signer_core.deadline import Deadline
from signer_core.extensions import Extensions
from signer_core.octets import copied, copies
from signer_core.way import prehash_signed_by

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from signer_core.origin import Origin
    from signer_core.prehash import Hasher


class Signing(abc.ABC):
    """The methods of :class:`~signer_core.Signer` that sign."""

    __slots__ = ()

    _backend: str | None
    _calls: Calls
    _extensions: Extensions
    _key: CurrentKey
    #: The deadline of all calls that nothing limits, with a key that is never renewed; None where there are none.
    _no_limit: Deadline | None
    _origin: "Origin | None"

    @abc.abstractmethod
    def _reopening(self, fingerprint: str) -> tuple[Any, ...]:
        """What opens the signer again elsewhere: see :meth:`~signer_core.origin.Origin.reopening`."""

    def sign(
        self,
        message: bytes | bytearray | memoryview,
        *,
        timeout: float | None = None,
        cancel: threading.Event | None = None,
    ) -> bytes:
        """The signature over ``message``.

        ``timeout``: seconds for the whole call, retries included; None as configured, ``math.inf`` for no limit.
        ``cancel``: once set, no further attempt starts and a wait ends at once.

        Raises :class:`~signer_core.errors.SignError` and its subclasses,
        :class:`~signer_core.errors.SignerClosedError`, and ``TypeError`` or ``ValueError`` for arguments that are wrong
        in themselves.
        """
        if type(message) is not bytes:
            message = copied(message, "message")
        deadline = self._no_limit
        if deadline is not None and timeout is None and cancel is None:
            # What OpenKey.enter and leave do, for less than they cost: that would be felt beside a local signature.
            key = self._key.open_key
            quick_calls = key.quick_calls
            try:
                quick_calls.append(None)  # in here: CPython looks for an interrupt when this returns, and not before
                if not key.retired:
                    return key.sign(message, deadline)
            finally:
                quick_calls.pop()
                if key.retired:
                    key.close_if_idle()
        return self._calls.one(OF_MESSAGES, message, timeout=timeout, cancel=cancel)

    def sign_async(
        self, message: bytes | bytearray | memoryview, *, timeout: float | None = None
    ) -> Coroutine[Any, Any, bytes]:
        """The same, without blocking the event loop. Cancelling the task stops the attempts.

        No coroutine function, but one that returns a coroutine: so the message is copied, and the time begins, now, and
        not only when a task comes to it.
        """
        return self._calls.awaited(OF_MESSAGES, copied(message, "message"), timeout=timeout)

    def hasher(self) -> "Hasher":
        """A new hash object for a message that is too large to be signed whole: :meth:`sign_digest` takes its digest.

        Raises at once what would be raised then: :class:`~signer_core.errors.UnsupportedAlgorithmError` where the
        algorithm (Ed25519) or the backend signs no digests, :class:`~signer_core.errors.PolicyViolationError` where an
        extension judges by the message. With ML-DSA the digest belongs to the key of this moment: if a renewal brings
        another before it is signed, the signature verifies with neither, so compare :attr:`public_key` then and now.
        """
        call = object()
        try:
            key = self._key.enter(call)
            prehash_signed_by(key.key, self._backend)
            self._extensions.check_digests()
            return key.public_key.hasher()
        finally:
            self._key.leave(call)

    def sign_digest(
        self,
        digest: bytes | bytearray | memoryview,
        *,
        timeout: float | None = None,
        cancel: threading.Event | None = None,
    ) -> bytes:
        """The signature over the message whose digest is given: the same as :meth:`sign` makes, and verified alike.

        The digest is the one that :meth:`hasher` gives; of another length it is a ``ValueError``. All else is as in
        :meth:`sign`; besides, the errors of :meth:`hasher`.
        """
        return self._calls.one(OF_DIGESTS, copied(digest, "digest"), timeout=timeout, cancel=cancel)

    def sign_digest_async(
        self, digest: bytes | bytearray | memoryview, *, timeout: float | None = None
    ) -> Coroutine[Any, Any, bytes]:
        """The same, as :meth:`sign_async` does it."""
        return self._calls.awaited(OF_DIGESTS, copied(digest, "digest"), timeout=timeout)

    def sign_many(
        self,
        messages: Iterable[bytes | bytearray | memoryview],
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        executor: "Executor | None" = None,
    ) -> list[bytes]:
        """The signatures over ``messages``, in their order, made by ``concurrency`` threads with one key.

        ``timeout`` bounds the whole batch. The first failure is raised, and what has not begun is not signed.

        With an ``executor``, its workers sign the batch in chunks, each with ``concurrency`` threads. Those of a
        ``ThreadPoolExecutor`` do it with this signer; any other executor's, in other processes or on other machines,
        open it by its configuration, once each: ``TypeError`` where that cannot open it.
        :class:`~signer_core.errors.SignError` where the executor fails, and not the signing.
        """
        taken = list(copies(messages))
        if executor is None:
            return self._calls.many(taken, concurrency=concurrency, timeout=timeout)
        from signer_core.executors import sign_batch

        return sign_batch(
            taken,
            executor,
            self._calls.batch(timeout),
            reopening=self._reopening,
            concurrency=concurrency,
            remote=self._origin is not None and self._origin.remote,
        )

    def sign_iter(
        self,
        messages: Iterable[bytes | bytearray | memoryview],
        *,
        lookahead: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
    ) -> Generator[bytes, None, None]:
        """An iterator of the signatures over ``messages``, in their order, for more of them than memory holds.

        Messages are taken in the thread that asks for signatures, when it asks, and at most ``lookahead`` of them (4
        for each of ``concurrency``) ahead of the signature that is given out: with 1, a message may depend on the
        signature before it. ``timeout`` bounds each signature, from when its signing begins. What fails, a signature or
        the taking of a message, is raised at its place in the order, and nothing further is begun. Closing the
        iterator, or dropping it, cancels what goes on. It does not keep the signer open: after a close it raises
        :class:`~signer_core.errors.SignerClosedError`.

        No generator function, but one that returns a generator: what is wrong with the arguments is raised now.
        """
        return self._calls.each(copies(messages), lookahead=lookahead, concurrency=concurrency, timeout=timeout)
