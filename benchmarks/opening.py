"""Opening a key file: beside the derivation of its key from the passphrase, which is slow by design."""

import os
from collections.abc import Iterator

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from benchmarks.key_file import PASSPHRASE, key_file
from benchmarks.measuring import Comparison, compared, interleaved
from signer_core import create_signer


def comparisons() -> Iterator[Comparison]:
    with key_file() as config:
        times = interleaved({"open": lambda: create_signer(config).close(), "derive": derive}, rounds=25)
        yield compared("open a key file", times["open"], times["derive"], 1.1)


def derive() -> bytes:
    """As ev-node's key files ask for."""
    return Argon2id(salt=os.urandom(16), length=32, iterations=3, lanes=4, memory_cost=32 * 1024).derive(PASSPHRASE)
