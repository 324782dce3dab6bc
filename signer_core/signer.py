"""Signer: what an application holds."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from signer_core.acceptance import Acceptance
from signer_core.attempts import Attempts, full_jitter
from signer_core.calls import Calls, default_concurrency
from signer_core.closing import Closing
from signer_core.current_key import CurrentKey
from signer_core.deadline import Deadline
from signer_core.extensions import Extensions
from signer_core.facts import Facts, check_name
from signer_core.forks import tell_after_fork
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import broken_in_code, describe
from signer_core.options import budget
from signer_core.pins import Pins, hex_address, hex_bytes
from signer_core.signing import Signing

if TYPE_CHECKING:
    from signer_core.hedging import Hedging
    from signer_core.origin import Origin

T = TypeVar("T")
R = TypeVar("R")


class Signer(Signing, Facts, Closing):
    """Signs messages with one key, wherever it is. Shared freely between threads; usable in a child after ``fork``.

    Made by :func:`signer_core.create_signer`, or in code out of a :class:`~signer_core.SigningKey`::

        with Signer(MyKey(...), timeout=10, max_retries=3) as signer:
            signature = signer.sign(b"message")

    The parameters are the core's options: ``timeout`` and ``attempt_timeout`` in seconds or as "1m30s", None for no
    limit; ``hedge_after`` the time after which a second attempt runs beside one without an answer, None for never;
    ``verify`` each signature before it is returned; the ``expected_…`` pins in hex. ``extensions`` are objects
    with the hooks of :class:`~signer_core.hookspecs.AttachedHooks`, by name; the signer closes them. ``concurrency`` is
    the number of threads for :meth:`sign_async`, and for batches that name none: None for the key's own
    (:attr:`SigningKey.concurrency <signer_core.SigningKey.concurrency>`). ``clock`` and ``jitter`` are for tests.
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
        concurrency: int | None = None,
        origin: "Origin | None" = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = full_jitter,
    ) -> None:
        if not isinstance(key, SigningKey):
            raise TypeError(f"a Signer is made of a SigningKey, not of {type(key).__name__}")
        check_name(name)
        if not isinstance(verify, bool):
            raise TypeError(f"verify must be True or False, not {verify!r}")
        self._name = name
        self._backend = backend
        self._origin = origin
        attempts = Attempts(
            timeout=_option("timeout", timeout, budget),
            attempt_timeout=_option("attempt_timeout", attempt_timeout, budget),
            max_retries=max_retries,
            clock=clock,
            jitter=jitter,
        )
        if not isinstance(extensions, Extensions):
            extensions = Extensions.in_code({} if extensions is None else extensions)
        self._extensions = extensions
        self._hedging = _hedging(hedge_after, attempts, verify=verify)
        acceptance = Acceptance(
            signer=name,
            backend=backend,
            pins=Pins(
                address=_option("expected_address", expected_address, hex_address),
                public_key=_option("expected_public_key", expected_public_key, hex_bytes),
            ),
            attempts=attempts,
            verify=verify,
            extensions=extensions,
            broken=broken_in_code if origin is None else origin.broken,
            hedging=self._hedging,
        )
        self._key = CurrentKey(key, accept=acceptance.opened, attempts=attempts, owner=name or backend or describe(key))
        if concurrency is None:
            concurrency = default_concurrency(key, remote=origin is None or origin.remote)
        self._calls = Calls(self._key, attempts, concurrency=concurrency)
        # The deadline of all calls that nothing limits, with a key that is never renewed; None where there are none.
        quick = attempts.timeout is None and not self._key.is_renewed
        self._no_limit = Deadline.after(None, clock=clock) if quick else None
        tell_after_fork(self)

    def close(self) -> None:
        """Refuse new calls, wait for the running ones, give back what the key holds. Twice is fine.

        Not for what runs inside a call, such as a hook of an extension: it would wait for itself.
        """
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
    seconds = _option("hedge_after", hedge_after, budget)
    if seconds is None:
        return None
    from signer_core.hedging import Hedging

    return Hedging(seconds, attempts, verify=verify)


def _option(name: str, value: T, converter: Callable[[T], R]) -> R:
    try:
        return converter(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}; {error}") from None
