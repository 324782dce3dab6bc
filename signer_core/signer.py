"""Signer: what an application holds."""

import functools
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from signer_core.acceptance import Acceptance
from signer_core.algorithms import Algorithm
from signer_core.attempts import Attempts, full_jitter
from signer_core.calls import OF_DIGESTS, OF_MESSAGES, Calls
from signer_core.closing import Closing
from signer_core.current_key import CurrentKey
from signer_core.deadline import Deadline
from signer_core.extensions import Extensions
from signer_core.forks import tell_after_fork
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import broken_in_code, describe
from signer_core.octets import copied
from signer_core.options import budget
from signer_core.origin import Origin
from signer_core.pins import Pins, hex_address, hex_bytes
from signer_core.prehash import Hasher
from signer_core.public_key import PublicKey
from signer_core.way import prehash_signed_by

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from signer_core.hedging import Hedging


class Signer(Closing):
    """Signs messages with one key, wherever it is. Shared freely between threads; usable in a child after ``fork``.

    Made by :func:`signer_core.create_signer`, or in code out of a :class:`~signer_core.SigningKey`::

        with Signer(MyKey(...), timeout=10, max_retries=3) as signer:
            signature = signer.sign(b"message")

    The parameters are the core's options: ``timeout`` and ``attempt_timeout`` in seconds or as "1m30s", None for no
    limit; ``hedge_after`` the time after which a second attempt runs beside one without an answer, None for never;
    ``verify`` each signature before it is returned; the ``expected_…`` pins in hex. ``extensions`` are objects
    with the hooks of :class:`~signer_core.hookspecs.AttachedHooks`, by name; the signer closes them. ``concurrency`` is
    the number of threads that :meth:`sign_async` uses and :meth:`sign_many` starts with. ``clock`` and ``jitter`` are
    for tests.
    """

    __slots__ = (
        "__weakref__",
        "_backend",
        "_calls",
        "_extensions",
        "_hedging",
        "_key",
        "_name",
        "_no_limit",
        "_origin",
    )

    def __init__(
        self,
        key: SigningKey,
        *,
        name: str | None = None,
        backend: str | None = None,
        timeout: float | str | None = None,
        attempt_timeout: float | str | None = None,
        max_retries: int = 0,
        hedge_after: float | str | None = None,
        verify: bool = True,
        expected_address: str | None = None,
        expected_public_key: str | None = None,
        extensions: Extensions | Mapping[str, object] | None = None,
        concurrency: int = 32,
        origin: Origin | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = full_jitter,
    ) -> None:
        if not isinstance(key, SigningKey):
            raise TypeError(f"a Signer is made of a SigningKey, not of {type(key).__name__}")
        self._name = name
        self._backend = backend
        self._origin = origin
        attempts = Attempts(
            timeout=budget(timeout),
            attempt_timeout=budget(attempt_timeout),
            max_retries=max_retries,
            clock=clock,
            jitter=jitter,
        )
        if not isinstance(extensions, Extensions):
            extensions = Extensions.in_code(extensions or {})
        self._extensions = extensions
        self._hedging = _hedging(hedge_after, attempts, verify=verify)
        acceptance = Acceptance(
            signer=name,
            backend=backend,
            pins=Pins(address=hex_address(expected_address), public_key=hex_bytes(expected_public_key)),
            attempts=attempts,
            verify=verify,
            extensions=extensions,
            broken=broken_in_code if origin is None else origin.broken,
            hedging=self._hedging,
        )
        self._key = CurrentKey(key, accept=acceptance.opened, attempts=attempts, owner=name or backend or describe(key))
        self._calls = Calls(self._key, attempts, concurrency=concurrency)
        # The deadline of all calls that nothing limits, with a key that is never renewed; None where there are none.
        quick = attempts.timeout is None and not self._key.is_renewed
        self._no_limit = Deadline.after(None, clock=clock) if quick else None
        tell_after_fork(self)

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

    def hasher(self) -> Hasher:
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
        copies = [copied(message, "message") for message in messages]
        if executor is None:
            return self._calls.many(copies, concurrency=concurrency, timeout=timeout)
        from signer_core.executors import sign_batch

        return sign_batch(
            copies,
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
        copies = map(functools.partial(copied, name="message"), messages)
        return self._calls.each(copies, lookahead=lookahead, concurrency=concurrency, timeout=timeout)

    @property
    def public_key(self) -> PublicKey:
        """The key's public half. Read it once where you need several of its parts: a renewal may change the key."""
        return self._key.open_key.public_key

    @property
    def address(self) -> bytes:
        """SHA-256 of the raw public key, 32 bytes."""
        return self._key.open_key.public_key.address

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of the signatures."""
        return self._key.open_key.public_key.algorithm

    @property
    def key_id(self) -> str:
        """The backend's canonical name of the key."""
        return self._key.open_key.key_id

    @property
    def max_message_bytes(self) -> int | None:
        """The largest message in bytes that the key signs whole; None for no limit."""
        return self._key.open_key.key.max_message_bytes

    @property
    def backend(self) -> str | None:
        """The backend's name; None for a signer made in code."""
        return self._backend

    @property
    def name(self) -> str | None:
        """The name that the application gave this signer."""
        return self._name

    def close(self) -> None:
        """Refuse new calls, wait for the running ones, give back what the key holds. Twice is fine."""
        try:
            self._key.close()
            failure = self._extensions.close()  # now that no call is left that would ask them
        finally:
            self._calls.end_threads()
            if self._hedging is not None:
                self._hedging.end_threads()
        self._key.raise_close_error()
        if failure is not None:
            raise failure

    def __repr__(self) -> str:
        return f"<Signer name={self._name!r} backend={self._backend!r} key_id={self.key_id!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reopening(self.public_key.fingerprint)

    def _reopening(self, fingerprint: str) -> tuple[Any, ...]:
        if self._origin is None:
            raise TypeError("a Signer made in code is not pickled: only a configuration can open it again")
        if not self._key.open_key.key.reopens:
            raise TypeError(f"a Signer of this key is not pickled: {self._backend!r} would open another key elsewhere")
        return self._origin.reopening(fingerprint)

    def forget_other_threads(self) -> None:
        """In a forked child: see :mod:`signer_core.forks`."""
        self._calls.forget_other_threads()
        self._key.forget_other_threads()
        self._extensions.forget_other_threads()


def _hedging(hedge_after: float | str | None, attempts: Attempts, *, verify: bool) -> "Hedging | None":
    seconds = budget(hedge_after)
    if seconds is None:
        return None
    from signer_core.hedging import Hedging

    return Hedging(seconds, attempts, verify=verify)
