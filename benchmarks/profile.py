"""Where the time of a signature goes: calls of functions, counted, which no other load on the machine disturbs."""

import cProfile
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.idle_extension import installed
from benchmarks.kms import candidates
from benchmarks.kms_server import ENVIRONMENT, stand_in
from benchmarks.measuring import Comparison, shortened
from benchmarks.peers import ROOT
from signer_core import create_signer

DISTRIBUTIONS = ("boto3", "cryptography")
MESSAGE = bytes(range(256))
SIGNATURES = 200  # counted
PROFILED = 3000
TOP = 12

Sign = Callable[[], object]


def comparisons() -> Iterator[Comparison | str]:
    os.environ.update(ENVIRONMENT)
    key = Ed25519PrivateKey.generate()
    with ExitStack() as stack:
        stack.enter_context(installed(["idle"]))
        noop = stack.enter_context(create_signer({"backend": "noop"}))
        watched = stack.enter_context(create_signer({"backend": "noop", "extensions": {"idle": {}}}))
        ours, raw = stack.enter_context(candidates(stack.enter_context(stand_in(0, None))))
        plain = counted(lambda: key.sign(MESSAGE))
        for what, sign, limit in (
            ("noop", lambda: noop.sign(MESSAGE), 8),
            ("noop, one extension", lambda: watched.sign(MESSAGE), 20),
        ):
            yield Comparison(f"{what}: functions called", counted(sign), plain, limit, unit="calls")
        yield Comparison("awskms: functions called", counted(ours), counted(raw), 0.08, unit="calls")
        yield profiled("noop", lambda: noop.sign(MESSAGE))
        yield profiled("awskms", ours)


def counted(sign: Sign) -> float:
    """Functions that a signature calls, those in C among them, and not the signing itself as a function of ours."""
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    for _ in range(5):
        sign()
    sys.setprofile(count)
    try:
        for _ in range(SIGNATURES):
            sign()
    finally:
        sys.setprofile(None)
    return (calls - 1) / SIGNATURES - 1  # without setprofile's own, and the lambda around it


def profiled(what: str, sign: Sign) -> str:
    """The functions that took most of the time themselves, as a table."""
    number = shortened(PROFILED)
    profile = cProfile.Profile(time.process_time)
    with profile:
        for _ in range(number):
            sign()
    stats = pstats.Stats(profile)
    functions: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in functions.values())
    top = sorted(functions.items(), key=lambda each: -each[1][2])[:TOP]
    lines = [f"{what}: where the time goes", f"  {'share':>6} {'calls':>6}  function"]
    for (file, _, name), (_, calls, own, _, _) in top:
        lines.append(f"  {own / whole:>6.1%} {calls / number:>6.1f}  {place(file)}{name}")
    return "\n".join(lines)


def place(file: str) -> str:
    """The module, before a function's name."""
    if file == "~":
        return ""
    path = Path(file)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return f"{path.relative_to(ROOT).as_posix()}: "
    return f"{path.parent.name}/{path.name}: "
