"""A signature that a forked child makes."""

import os
import select
import signal
import traceback
import warnings

import pytest

from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE


def signed_by_child(signer: Signer, message: bytes) -> bytes:
    """The signature that a child after ``fork`` makes with the signer of its parent; the test fails without one."""
    answer = _answer_of_child(signer, message)
    if answer[:1] != b"+":
        pytest.fail(f"the child could not sign: what it cannot share must be made anew there\n{answer[1:].decode()}")
    return answer[1:]


def _answer_of_child(signer: Signer, message: bytes) -> bytes:
    """``+`` and its signature, or ``-`` and what went wrong."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python ≥ 3.12 warns that locks of other threads stay locked in the child; that is what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:  # pragma: no cover — coverage is not saved by _exit
        try:
            os.write(writing, b"+" + signer.sign(message))
        except BaseException:
            os.write(writing, b"-" + traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writing)
    try:
        answered, _, _ = select.select([reading], [], [], PATIENCE)
        return os.read(reading, 65536) if answered else b"-it hangs"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
