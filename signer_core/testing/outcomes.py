"""How calls must end: with an error of the library's own, and in time."""

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from signer_core.errors import SignerError
from signer_core.hookspecs import SigningKey
from signer_core.signer import Signer

E = TypeVar("E", bound=SignerError)


def refused(kind: type[E], call: Callable[[], object]) -> E:
    """The error that ``call()`` must end with: of that kind, and whole after pickling."""
    try:
        answer = call()
    except kind as error:
        assert_pickles(error)
        return error
    except Exception as error:
        origin = "" if isinstance(error, SignerError) else "foreign "
        pytest.fail(f"{kind.__name__} was expected, not the {origin}{type(error).__name__}: {error}")
    if isinstance(answer, Signer | SigningKey):
        answer.close()
    pytest.fail(f"{kind.__name__} was expected, but the call succeeded and returned {type(answer).__name__}")


def assert_pickles(error: SignerError) -> None:
    """The error is the same after pickling: it can cross a process boundary."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 — our own bytes
    assert (type(again), str(again), again.retryable) == (type(error), str(error), error.retryable)
    assert vars(again) == vars(error), f"{type(error).__name__} loses fields when it is pickled"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block must take no longer."""
    started = time.monotonic()
    yield
    taken = time.monotonic() - started
    assert taken <= seconds, f"it took {taken:.2f}s, and should have ended within {seconds:.2f}s"
