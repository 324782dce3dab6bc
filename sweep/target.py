"""What is fuzzed: a part of the library that reads bytes of others, and what must be true whatever they are."""

import base64
import contextlib
from collections.abc import Callable, Iterable, Iterator

import attrs

from signer_core.errors import SignerError

#: Raises for whatever must not happen with these bytes.
Check = Callable[[bytes], None]

#: A secret of 32 bytes, in a text; it is planted where secrets belong, and must not come back in an error.
MARKER = b"the-planted-secret-7d1f40c29ae88"
#: As it is, in hex, and in base64 wherever it begins in what was encoded.
_FORMS = (MARKER, MARKER.hex().encode(), *(base64.b64encode(bytes(skipped) + MARKER)[4:40] for skipped in range(3)))


@attrs.frozen
class Target:
    """Something to fuzz."""

    #: What is tried first and changed then: as many kinds of right input as there are.
    seeds: Callable[[], Iterable[bytes]]
    #: Sets up what the checks need, for as long as they run.
    check: Callable[[], contextlib.AbstractContextManager[Check]]


class UnexpectedError(AssertionError):
    """What must not happen."""


def expect(condition: object, what: str) -> None:
    """Raise :class:`UnexpectedError` unless ``condition`` holds."""
    if not condition:
        raise UnexpectedError(what)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """An error of the library's may come, which must not hold the planted secret; no other."""
    try:
        yield
    except SignerError as error:
        holds_no_secret(error)


def holds_no_secret(error: BaseException | None) -> None:
    """Look for the planted secret in an error, and in what led to it."""
    while error is not None:
        attributes = {name: getattr(error, name, None) for name in ("args", "doc", "object", "__notes__", "__dict__")}
        told = repr((str(error), attributes)).encode(errors="backslashreplace")
        expect(not any(form in told for form in _FORMS), f"{type(error).__name__} holds a secret")
        error = error.__cause__ or error.__context__


def simply(check: Check) -> Callable[[], contextlib.AbstractContextManager[Check]]:
    """For a check that needs no setting up."""
    return lambda: contextlib.nullcontext(check)
