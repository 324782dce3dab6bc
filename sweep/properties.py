"""Hypothesis: the properties in the tests, with many more examples than a run of the tests tries."""

import os
import subprocess
import sys
import time

import attrs

from sweep.mutation import ROOT

#: Examples of each test in the first round; each further one has four times as many.
_FIRST, _MORE = 200, 4


@attrs.frozen
class Searched:
    """What came of it."""

    #: For each round the examples of each test, and the seconds that it took.
    rounds: list[tuple[int, float]]
    #: What pytest wrote of the round that failed; None if none did.
    failure: str | None

    def __str__(self) -> str:
        rounds = ", ".join(f"{examples} examples of each in {seconds:.0f}s" for examples, seconds in self.rounds)
        return f"properties: {rounds or 'no round was finished'}{'; FAILED' if self.failure else ''}"


def search(seconds: float) -> Searched:
    """Run all tests with a property, in rounds, until the time is over; the one that it cuts off says nothing."""
    end, examples = time.monotonic() + seconds, _FIRST
    rounds: list[tuple[int, float]] = []
    while (left := end - time.monotonic()) > 0:
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "hypothesis", "-p", "sweep.profile", "tests"]
        try:
            done = subprocess.run(
                [*command, "--hypothesis-profile", "sweep", "-p", "no:cacheprovider"],
                cwd=ROOT,
                env={**os.environ, "SWEEP_EXAMPLES": str(examples)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=left,
            )
        except subprocess.TimeoutExpired:
            break
        if done.returncode:
            return Searched(rounds, done.stdout + done.stderr)
        rounds.append((examples, time.monotonic() - began))
        examples *= _MORE
    return Searched(rounds, None)
