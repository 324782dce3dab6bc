"""What must hold of a signer that threads, tasks and processes share."""

import asyncio
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from signer_core.hookspecs import SigningKey
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Fixtures
from signer_core.testing.forked import signed_by_child
from signer_core.testing.outcomes import assert_good

THREADS = 32


class Sharing(Fixtures):
    """Tests of one signer in many hands."""

    def test_threads(self, signer: Signer) -> None:
        """32 threads that sign at once get the signatures of their own messages."""
        together = threading.Barrier(THREADS)

        def sign(number: int) -> list[tuple[bytes, bytes]]:
            messages = [b"thread %d, message %d" % (number, turn) for turn in range(3)]
            together.wait(PATIENCE)
            return [(signer.sign(message), message) for message in messages]

        with ThreadPoolExecutor(THREADS) as executor:
            signed = [pair for pairs in executor.map(sign, range(THREADS)) for pair in pairs]
        for signature, message in signed:
            assert_good(signer, signature, message)

    def test_async(self, signer: Signer) -> None:
        """Calls of ``sign_async`` that are awaited together get the signatures of their own messages."""
        messages = [b"task %d" % number for number in range(8)]

        async def sign() -> list[bytes]:
            return await asyncio.gather(*(signer.sign_async(message) for message in messages))

        for signature, message in zip(asyncio.run(sign()), messages, strict=True):
            assert_good(signer, signature, message)

    if hasattr(os, "fork"):

        def test_fork(self, signer: Signer) -> None:
            """A child after ``fork`` signs with the signer of its parent, and the parent goes on."""
            assert_good(signer, signed_by_child(signer, b"from the child"), b"from the child")
            assert_good(signer, signer.sign(b"from the parent"), b"from the parent")

    def test_pickle(self, signer: Signer, key: SigningKey, options: Any) -> None:
        """A signer pickles as what opens it again, with the same key; where that cannot be, because the key does not
        reopen or a secret is no reference, pickling is refused with a TypeError that says so.
        """
        if not key.reopens or _holds_literal_secret(options):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(signer)
            return
        with pickle.loads(pickle.dumps(signer)) as again:  # noqa: S301 — our own bytes
            assert (again.key_id, again.public_key) == (signer.key_id, signer.public_key)
            assert_good(signer, again.sign(b"message"))


def _holds_literal_secret(options: Any) -> bool:
    values = (getattr(options, field.name) for field in attrs.fields(type(options)))
    return any(isinstance(value, Secret) and value.reference is None for value in values)
