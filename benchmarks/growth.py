"""What grows with the size of a message, and with the number of signers in one process: no faster than it must."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.key_file import key_file
from benchmarks.kms_server import ENVIRONMENT, stand_in
from benchmarks.measuring import QUICK, Comparison, compared, in_a_row, interleaved
from signer_core import create_signer

DISTRIBUTIONS = ("boto3", "cryptography")
#: The sizes of messages in bytes, each with the number of calls in one turn and of turns.
SIZES = {64: (10, 400), 1024: (10, 400), 16 * 1024: (5, 300), 256 * 1024: (1, 150), 1024 * 1024: (1, 80)}
SIGNERS = (1, 10, 100, 1000, 10_000)
FILES = (1, 10, 100)

ALLOWED = 24  # KB for each signer in a process
#: Of one process, when it had so many signers: see :mod:`benchmarks.signers`.
State = dict[str, float]


def comparisons() -> Iterator[Comparison]:
    yield from message_sizes()
    with stand_in(0, None) as url:
        yield from signers("awskms", SIGNERS, url)
    with key_file() as config:
        yield from signers("file", FILES, json.dumps(config))


def message_sizes() -> Iterator[Comparison]:
    raw = Ed25519PrivateKey.generate().sign
    lines = []
    with create_signer({"backend": "noop"}) as signer:
        for size, (calls, rounds) in SIZES.items():
            message = os.urandom(size)
            turns: dict[str, Callable[[], None]] = {
                "raw": in_a_row(partial(raw, message), calls),
                "ours": in_a_row(partial(signer.sign, message), calls),
            }
            times = interleaved(turns, rounds=rounds, calls=calls)
            line = compared(
                f"noop, {spaced(size)} bytes", times["ours"], times["raw"], None, chart="message size", at=size
            )
            lines.append(line)
            yield line
    smallest, largest = lines[0], lines[-1]
    kib = (max(SIZES) - min(SIZES)) / 1024
    ours, raw_growth = largest.ours - smallest.ours, largest.baseline - smallest.baseline
    yield Comparison("  each KiB more", ours / kib, raw_growth / kib, 1.03)


def signers(backend: str, numbers: tuple[int, ...], argument: str) -> Iterator[Comparison]:
    """As many signers as the last number, in a process of their own."""
    if os.environ.get(QUICK):
        numbers = numbers[:3]
    command = [sys.executable, "-m", "benchmarks.signers", backend, argument, *map(str, numbers)]
    environment = {**os.environ, **ENVIRONMENT}
    states = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    of: dict[int, State] = dict(zip(numbers, states, strict=True))
    yield from to_that_point(backend, of)

    first, few, many = numbers[0], numbers[-2], numbers[-1]
    grown = (of[many]["memory"] - of[first]["memory"]) / (many - first)
    yield Comparison(f"{backend}: memory of each more, beside {ALLOWED} KB", grown, ALLOWED, 1.0, unit="KB")
    opening, before = of[many]["opening"], of[few]["opening"]
    yield Comparison(f"{backend}: CPU to open each, {spaced(few)} to {spaced(many)}", opening, before, 1.25)
    signing, alone = of[many]["signing"], of[first]["signing"]
    yield Comparison(f"{backend}: a signature, {spaced(many)} signers beside {first}", signing, alone, 1.25)
    for what in ("threads", "connections") if backend == "awskms" else ("threads",):
        name = f"{backend}: {what}, {spaced(many)} signers beside {few}"
        yield Comparison(name, of[many][what], of[few][what], 1.0, unit="calls")


def to_that_point(backend: str, of: dict[int, State]) -> Iterator[Comparison]:
    """The points of the lines in the chart, beside the first."""
    first = next(iter(of.values()))
    for number, state in of.items():
        what = f"{backend}: {spaced(number)} signer{'s' if number > 1 else ''}, memory of all"
        yield Comparison(what, state["memory"] / 1e3, first["memory"] / 1e3, None, unit="MB", chart=backend, at=number)


def spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")
