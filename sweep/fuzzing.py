"""Fuzzing with atheris, which changes bytes so that they take new ways through the code."""

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.peers import python_with
from sweep.groups import ROOT
from sweep.mutation import TOOLS

CORPORA = ROOT / "build" / "sweep" / "corpus"
FOUND = ROOT / "build" / "sweep" / "found"
_START = 90.0  # seconds that a process may take beside its fuzzing


@attrs.frozen(kw_only=True)
class Fuzzed:
    """What came of one target."""

    name: str
    executions: int
    seconds: float
    #: The inputs that did what must not happen, of this run and earlier ones.
    found: tuple[Path, ...]
    #: Whether the process ended as it should.
    ended_well: bool

    def __str__(self) -> str:
        verdict = "nothing found" if self.ended_well else f"FAILED: {self.place}/log says why"
        return f"{self.name}: {self.executions} executions in {self.seconds:.0f}s, {verdict}"

    @property
    def place(self) -> Path:
        """Where its log is, and what was found."""
        return FOUND / self.name


def fuzz(name: str, seconds: float) -> Fuzzed:
    """Fuzz one target for that long; it ends at the first input that does what must not happen."""
    corpus, found = CORPORA / name, FOUND / name
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    before = set(inputs(found))
    command = [*python_with(TOOLS, ("atheris", "mutmut")), "-m", "sweep.one_target", name]
    began = time.monotonic()
    with (found / "log").open("wb") as log:
        try:
            status = subprocess.run(
                [*command, str(max(1, round(seconds))), str(corpus), str(found)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=seconds + _START,
            ).returncode
        except subprocess.TimeoutExpired:
            status = 1
    executed = re.search(r"number_of_executed_units: (\d+)", (found / "log").read_text("utf-8", "replace"))
    return Fuzzed(
        name=name,
        executions=int(executed[1]) if executed else 0,
        seconds=time.monotonic() - began,
        found=tuple(sorted(set(inputs(found)) - before)),
        ended_well=status == 0,
    )


def inputs(found: Path) -> Sequence[Path]:
    """What libFuzzer wrote of what must not happen."""
    return [path for path in found.iterdir() if re.match("crash-|timeout-|oom-|leak-", path.name)]
