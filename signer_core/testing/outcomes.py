"""How calls must end: well or with an error of the library's own, and in time."""

import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import pytest

from signer_core.errors import InvalidSignatureError, SignerError
from signer_core.hookspecs import SigningKey
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE

E = TypeVar("E", bound=SignerError)
T = TypeVar("T")

TRIES = 3


def refused(kind: type[E], call: Callable[[], object]) -> E:
    """The error that ``call()`` must end with: of that kind, and whole after pickling."""
    answer = ended(call, kind)
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Signer | SigningKey):
        answer.close()
    pytest.fail(f"{kind.__name__} was expected, but the call succeeded and returned {type(answer).__name__}")


def ended(call: Callable[[], T], *kinds: type[E]) -> T | E:
    """What ``call()`` returns, or the error that it raises: it must be one of ``kinds``, and whole after pickling."""
    try:
        return call()
    except kinds as error:
        assert_pickles(error)
        return error
    except Exception as error:
        expected = " or ".join(kind.__name__ for kind in kinds)
        if isinstance(error, SignerError):
            pytest.fail(f"{expected} was expected, not {type(error).__name__}: {error}")
        pytest.fail(
            f"{expected} was expected, not the foreign {type(error).__name__}: {error}\n"
            "map it where it comes from: `raise ... from error`, and `from None` where it may hold a secret"
        )


def assert_good(key: Signer | SigningKey, answer: object, message: bytes = b"message") -> None:
    """``answer`` is a right signature over the message, or an error that was allowed."""
    if isinstance(answer, SignerError):
        return
    assert type(answer) is bytes, f"a signature must be bytes, not {type(answer).__name__}"
    try:
        key.public_key.verify(answer, message)
    except InvalidSignatureError:
        pytest.fail(
            f"the signature over {message[:40]!r} does not verify with the public key: `sign` must sign the message "
            "that this very call was given, and `public_key` be the other half of the key that does"
        )


def assert_pickles(error: SignerError) -> None:
    """The error is the same after pickling: it can cross a process boundary."""
    kind = type(error).__name__
    try:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 — our own bytes
    except Exception as failure:
        pytest.fail(
            f"{kind} cannot be pickled ({type(failure).__name__}: {failure}): "
            "raise the errors of signer_core.errors, or keep to their parameters: a message, all else by keyword"
        )
    assert (type(again), str(again), again.retryable) == (type(error), str(error), error.retryable)
    assert vars(again) == vars(error), f"{kind} loses fields when it is pickled"


def in_time(seconds: float, call: Callable[[], T]) -> T:
    """What ``call()`` gives, which takes no longer. Late is what is late each of three times: a machine may stall."""
    for _ in range(TRIES):
        begun = time.monotonic()
        answer = outcome(started(call))
        taken = time.monotonic() - begun
        if taken <= seconds:
            break
    assert taken <= seconds, (
        f"it took {taken:.2f}s, and should have ended within {seconds:.2f}s: let nothing wait longer than "
        "deadline.remaining() seconds (None: no limit); or set `grace`, where something cannot be broken off"
    )
    return answer


def started(call: Callable[[], T]) -> Future[T]:
    """``call()`` in a thread of its own, which ends with the process if it hangs."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def outcome(future: Future[T]) -> T:
    """What comes of it."""
    if not wait([future], PATIENCE).done:
        pytest.fail(f"it has not ended within {PATIENCE:g}s: let nothing wait longer than deadline.remaining() seconds")
    return future.result()
