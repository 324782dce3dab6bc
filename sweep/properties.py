"""Hypothesis: the properties in the tests, with many more examples than a run of the tests tries."""

import os
import subprocess
import sys
import time

import attrs

from sweep.groups import ROOT

#: Examples of each property in the first round; each further one has four times as many.
_FIRST, _MORE = 200, 4


@attrs.frozen
class Searched:
    """What came of it."""

    #: The files of tests that were run, by the examples that each of their properties was tried with.
    files: dict[int, int]
    #: What pytest wrote of those in which a property does not hold.
    failures: list[str]

    def __str__(self) -> str:
        rounds = ", ".join(f"{count} files with {examples} examples each" for examples, count in self.files.items())
        return f"properties: {rounds or 'no file was finished'}; {len(self.failures)} FAILED"


def search(seconds: float) -> Searched:
    """Run the tests with a property, one file after the other, in rounds with more and more examples, until the time is
    over; the file that it cuts off says nothing.
    """
    end, examples = time.monotonic() + seconds, _FIRST
    files = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if "@given" in path.read_text("utf-8"))
    searched = Searched({}, [])
    while True:
        for path in files:
            if (left := end - time.monotonic()) <= 0:
                return searched
            if (failure := _failure(str(path), examples, left)) is None:
                searched.files[examples] = searched.files.get(examples, 0) + 1
            elif failure:
                searched.failures.append(failure)
        examples *= _MORE


def _failure(path: str, examples: int, seconds: float) -> str | None:
    """What pytest wrote if a property does not hold; None if all do, empty if the time did not suffice."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "hypothesis",
        "-p",
        "sweep.profile",
        "-p",
        "no:cacheprovider",
    ]
    try:
        done = subprocess.run(
            [*command, "--hypothesis-profile", "sweep", path],
            cwd=ROOT,
            env={**os.environ, "SWEEP_EXAMPLES": str(examples)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout + done.stderr if done.returncode else None
