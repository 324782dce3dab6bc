"""What holds of every way to call a signer."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from signer_core import Deadline, Signer
from signer_core.errors import SignError
from tests.keys import Ed25519Key, until


class Refusing(Ed25519Key):
    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        raise SignError("no")


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


Error = weakref.ref[SignError]


def error_of(call: Callable[[], object]) -> Error:
    try:
        call()
    except SignError as error:  # pytest.raises would keep it
        return weakref.ref(error)
    raise AssertionError


def awaited_error_of(signer: Signer) -> Error:
    async def main() -> Error:
        try:
            await signer.sign_async(b"message")
        except SignError as error:  # here: asyncio.run would keep it
            return weakref.ref(error)
        raise AssertionError

    return asyncio.run(main())


ERRORS: dict[str, Callable[[Signer], Error]] = {
    "sign": lambda signer: error_of(lambda: signer.sign(b"message")),
    "sign_async": awaited_error_of,
    "sign_many": lambda signer: error_of(lambda: signer.sign_many([b"message"] * 3, concurrency=2)),
    "sign_iter": lambda signer: error_of(lambda: list(signer.sign_iter([b"message"] * 3, concurrency=2))),
    "sign_iter alone": lambda signer: error_of(lambda: list(signer.sign_iter([b"message"] * 3, concurrency=1))),
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("hedge_after", [None, 60.0], ids=["plain", "hedged"])
@pytest.mark.parametrize("error_of", ERRORS.values(), ids=ERRORS.keys())
def test_error_that_is_dropped_is_gone(error_of: Callable[[Signer], Error], hedge_after: float | None) -> None:
    """And with it the messages that its traceback leads to: it waits for no garbage collection."""
    error = error_of(Signer(Refusing(), hedge_after=hedge_after))
    until(lambda: error() is None)
