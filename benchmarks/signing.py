"""Signing with a key in this process: beside cryptography's own ``Ed25519PrivateKey.sign``, and other libraries."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.idle_extension import installed
from benchmarks.key_file import key_file
from benchmarks.measuring import Comparison, compared, in_a_row, in_threads, interleaved
from signer_core import create_signer

DISTRIBUTIONS = ("cryptography", "securesystemslib", "pynacl", "pluggy")
MESSAGE = bytes(range(256))
#: Calls in one turn. Short turns, many rounds: the difference is smaller than most of what disturbs a machine.
CALLS = 10

Sign = Callable[[bytes], object]


def comparisons() -> Iterator[Comparison]:
    raw = Ed25519PrivateKey.generate().sign
    with ExitStack() as stack:
        noop = stack.enter_context(create_signer({"backend": "noop"})).sign
        file = stack.enter_context(create_signer(stack.enter_context(key_file()))).sign
        local: dict[str, tuple[Sign, float | None]] = {
            "Signer.sign, noop": (noop, 1.03),
            "Signer.sign, file": (file, 1.03),
            "CryptoSigner, securesystemslib": (securesystemslib(), None),
            "SigningKey, PyNaCl": (pynacl(), None),
        }
        yield from beside(raw, local, chart="local")
        yield scaling("two threads, one signer", noop, raw)

        names = ["idle_one", "idle_two", "idle_three"]
        stack.enter_context(installed(names))
        signers = {}
        for number in (0, 1, 3):
            config = {"backend": "noop", "extensions": {name: {} for name in names[:number]}}
            signers[number] = stack.enter_context(create_signer(config)).sign
        more: dict[str, tuple[Sign, float | None]] = {
            "one extension beside none": (signers[1], 1.10),
            "three extensions beside none": (signers[3], 1.10),
        }
        yield from beside(signers[0], more, chart="extensions")


def beside(raw: Sign, others: Mapping[str, tuple[Sign, float | None]], *, chart: str) -> Iterator[Comparison]:
    """Each of them, with its limit, beside ``raw``."""
    signs = {"raw": raw, **{name: sign for name, (sign, _) in others.items()}}
    turns = {name: in_a_row(partial(sign, MESSAGE), CALLS) for name, sign in signs.items()}
    times = interleaved(turns, rounds=2000, calls=CALLS)
    for name, (_, limit) in others.items():
        yield compared(name, times[name], times["raw"], limit, who=name, chart=chart)


def securesystemslib() -> Sign:
    from securesystemslib.signer import CryptoSigner

    return CryptoSigner.generate_ed25519().sign


def pynacl() -> Sign:
    from nacl.signing import SigningKey

    sign: Sign = SigningKey.generate().sign
    return sign


def scaling(what: str, ours: Sign, raw: Sign) -> Comparison:
    """How many times the signatures of one thread two threads make."""
    times = interleaved(
        {
            f"{name}{threads}": in_threads(in_a_row(partial(sign, MESSAGE), 1000), threads)
            for name, sign in {"ours": ours, "raw": raw}.items()
            for threads in (1, 2)
        },
        rounds=25,
    )
    one, two, raw_one, raw_two = (statistics.median(times[name]) for name in ("ours1", "ours2", "raw1", "raw2"))
    return Comparison(what, 2 * one / two, 2 * raw_one / raw_two, 0.9, seconds=False)
