"""What holds of every way to call a signer."""

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from signer_core import Deadline, Signer
from signer_core.errors import SignError
from tests.keys import PATIENCE, Ed25519Key, until


class Refusing(Ed25519Key):
    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        raise SignError("no")


@pytest.mark.parametrize("message", [b"message", b"", bytearray(), memoryview(b""), "text", ""])
def test_one_message_is_not_taken_for_many(message: Any) -> None:
    """A loop over bytes gives whole numbers, and over empty ones nothing at all."""
    signer = Signer(Ed25519Key())
    for sign in (signer.sign_many, signer.sign_iter):
        with pytest.raises(TypeError, match=rf"messages must be .* not {type(message).__name__}: .*\[message\]"):
            sign(message)


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


#: An application that signs for the first time when Python lets it start no thread any more.
AT_EXIT = """
import asyncio, atexit
from signer_core import Signer
from signer_core.errors import SignError
from tests.keys import Ed25519Key

@atexit.register
def sign():
    for options in ({}, {"hedge_after": 60}):
        signer = Signer(Ed25519Key(), concurrency=4, **options)
        signatures = [signer.sign(b""), *signer.sign_many([b""] * 5), *signer.sign_iter([b""] * 5)]
        print(len(signatures), len(set(signatures)))
        try:
            asyncio.run(signer.sign_async(b""))
        except SignError as error:
            print(error.message.partition(":")[0])
        signer.close()
"""


def test_what_needs_no_threads_signs_at_the_end_of_the_program() -> None:
    command = [sys.executable, "-c", AT_EXIT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    no_thread = "no thread can be started for the call"
    assert (done.stdout.splitlines(), done.stderr) == (["11 1", no_thread] * 2, "")
