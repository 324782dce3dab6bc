"""Signing with a key in this process: beside cryptography's own ``Ed25519PrivateKey.sign``."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.key_file import key_file
from benchmarks.measuring import Comparison, compared, in_threads, interleaved
from signer_core import create_signer

MESSAGE = bytes(range(256))
CALLS = 1000  # of each thread


def comparisons() -> Iterator[Comparison]:
    raw = partial(Ed25519PrivateKey.generate().sign, MESSAGE)
    with ExitStack() as stack:
        noop = partial(stack.enter_context(create_signer({"backend": "noop"})).sign, MESSAGE)
        config = stack.enter_context(key_file())
        file = partial(stack.enter_context(create_signer(config)).sign, MESSAGE)

        # short turns, many rounds: the difference is smaller than most of what disturbs a machine
        times = interleaved({"raw": raw, "noop": noop, "file": file}, rounds=2000, calls=10)
        yield compared("Signer.sign, noop", times["noop"], times["raw"], 1.03)
        yield compared("Signer.sign, file", times["file"], times["raw"], 1.03)
        yield scaling("two threads, one signer", noop, raw)


def scaling(what: str, ours: Callable[[], object], raw: Callable[[], object]) -> Comparison:
    """How many times the signatures of one thread two threads make."""
    times = interleaved(
        {
            f"{name}{threads}": in_threads(sign, threads=threads, calls=CALLS)
            for name, sign in {"ours": ours, "raw": raw}.items()
            for threads in (1, 2)
        },
        rounds=25,
    )
    one, two, raw_one, raw_two = (statistics.median(times[name]) for name in ("ours1", "ours2", "raw1", "raw2"))
    return Comparison(what, 2 * one / two, 2 * raw_one / raw_two, 0.9, seconds=False)
