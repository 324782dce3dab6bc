"""Signing with a key in this process: beside cryptography's own ``Ed25519PrivateKey.sign``."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.idle_extension import installed
from benchmarks.key_file import key_file
from benchmarks.measuring import Comparison, compared, in_threads, interleaved
from signer_core import create_signer

MESSAGE = bytes(range(256))

Sign = Callable[[bytes], bytes]


def comparisons() -> Iterator[Comparison]:
    raw = Ed25519PrivateKey.generate().sign
    with ExitStack() as stack:
        noop = stack.enter_context(create_signer({"backend": "noop"})).sign
        file = stack.enter_context(create_signer(stack.enter_context(key_file()))).sign

        # short turns, many rounds: the difference is smaller than most of what disturbs a machine
        turns = {"raw": in_a_row(raw, 10), "noop": in_a_row(noop, 10), "file": in_a_row(file, 10)}
        times = interleaved(turns, rounds=2000, calls=10)
        yield compared("Signer.sign, noop", times["noop"], times["raw"], 1.03)
        yield compared("Signer.sign, file", times["file"], times["raw"], 1.03)
        yield scaling("two threads, one signer", noop, raw)

        names = ["idle_one", "idle_two", "idle_three"]
        stack.enter_context(installed(names))
        turns = {}
        for number in (0, 1, 3):
            config = {"backend": "noop", "extensions": {name: {} for name in names[:number]}}
            turns[str(number)] = in_a_row(stack.enter_context(create_signer(config)).sign, 10)
        times = interleaved(turns, rounds=2000, calls=10)
        yield compared("one extension beside none", times["1"], times["0"], 1.10)
        yield compared("three beside none", times["3"], times["0"], 1.10)


def in_a_row(sign: Sign, calls: int) -> Callable[[], None]:
    """Signs as a program does: in a loop of its own."""

    def signatures() -> None:
        for _ in range(calls):
            sign(MESSAGE)

    return signatures


def scaling(what: str, ours: Sign, raw: Sign) -> Comparison:
    """How many times the signatures of one thread two threads make."""
    times = interleaved(
        {
            f"{name}{threads}": in_threads(in_a_row(sign, 1000), threads)
            for name, sign in {"ours": ours, "raw": raw}.items()
            for threads in (1, 2)
        },
        rounds=25,
    )
    one, two, raw_one, raw_two = (statistics.median(times[name]) for name in ("ours1", "ours2", "raw1", "raw2"))
    return Comparison(what, 2 * one / two, 2 * raw_one / raw_two, 0.9, seconds=False)
