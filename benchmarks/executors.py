"""Batches signed by the processes of an executor, beside the same signatures made here, one after another."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.measuring import Comparison, compared, interleaved, shortened
from signer_core import Signer, create_signer

WORKERS = 2
MESSAGES = shortened(20_000, least=1_000)
SEED = bytes(range(32))
CONFIG = {"backend": "noop", "seed": SEED.hex()}


def comparisons() -> Iterator[Comparison]:
    messages = [os.urandom(256) for _ in range(MESSAGES)]
    with create_signer(CONFIG) as signer:
        raw = Ed25519PrivateKey.from_private_bytes(SEED).sign
        with processes() as executor, ThreadPoolExecutor(WORKERS) as threads:
            times = interleaved(
                {
                    "processes": lambda: signer.sign_many(messages, executor=executor),
                    "threads": lambda: signer.sign_many(messages, executor=threads),
                    "raw": lambda: [raw(message) for message in messages],
                },
                rounds=15,
                calls=MESSAGES,
            )
        yield compared(f"{WORKERS} processes of an executor", times["processes"], times["raw"], None)
        yield compared(f"{WORKERS} threads of an executor", times["threads"], times["raw"], None)
        with processes(1) as executor:
            times = interleaved(
                {"one": lambda: signer.sign_many(messages, executor=executor), "here": lambda: here(signer, messages)},
                rounds=15,
                calls=MESSAGES,
            )
        yield compared("handing over, with 1 process", times["one"], times["here"], None)


def processes(workers: int = WORKERS) -> Executor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def here(signer: Signer, messages: list[bytes]) -> list[bytes]:
    return signer.sign_many(messages, concurrency=1)
