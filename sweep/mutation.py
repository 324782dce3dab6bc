"""Mutation testing with mutmut: does a test fail for each small change of the code that matters most?

Each group of ``mutants.toml`` is worked on in a copy; the next run goes on from its results. mutmut changes neither
properties nor what is outside of functions.

A mutant that no test finds needs a reason in ``survivors.toml``, where it is known by its change, not by its number.
"""

import fnmatch
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from benchmarks.peers import python_with
from sweep.changes import Change, reasons
from sweep.groups import HERE, Group, copy

TOOLS = HERE / "tools.txt"
KILLED = (1, 3)
#: mutmut's exit codes: no test failed, or none reached the function.
SURVIVED = (0, 5, 33)
_END = "== end of a mutant ==\n"
_SHOW = f"""
import sys
from mutmut.__main__ import cli
for name in sys.argv[1:]:
    cli(["show", name], standalone_mode=False)
    print({_END!r}, end="")
"""
#: Where there is a file system in memory: keys are synced to the disk at each change.
_MEMORY = Path("/dev/shm")  # noqa: S108  (what is made in it has a name of its own)
_GRACE = 20.0  # seconds that a run may take to end after it was told to


@attrs.frozen(kw_only=True)
class Result:
    """What is known of a group's mutants."""

    name: str
    total: int
    killed: int
    #: A mutant under which the tests did not end, or Python itself did, is as good as killed.
    stopped: int
    unchecked: int
    excused: int
    #: Those that no test finds and that have no reason.
    survivors: dict[str, Change]
    #: Changes that have a reason to survive, and do not, or are not made any more.
    outdated: list[Change]

    def __str__(self) -> str:
        survived = f"{len(self.survivors)} survive without a reason, {self.excused} with one"
        return (
            f"{self.name}: {self.total} mutants, {self.killed} killed, {self.stopped} stopped, {survived}, "
            f"{self.unchecked} not checked yet"
        )


def mutate(group: Group, *, seconds: float, fresh: bool) -> Result:
    """Go on with the group's mutants for that long. Survivors of an earlier run that have no reason are tried again."""
    if fresh:
        shutil.rmtree(group.place, ignore_errors=True)
    copy(group)
    end = time.monotonic() + seconds
    if again := list(result(group).survivors):
        _run(group, again, end)
    _run(group, [], end)
    return result(group)


def result(group: Group) -> Result:
    """What is known now."""
    codes = dict(_codes(group))
    excuses = reasons()
    changes = _changes(group, [name for name, code in codes.items() if code in SURVIVED])
    survivors = {name: change for name, change in changes.items() if change not in excuses and change.needs_a_reason}
    unchecked = sum(code is None for code in codes.values())
    killed = sum(code in KILLED for code in codes.values())
    return Result(
        name=group.name,
        total=len(codes),
        killed=killed,
        stopped=len(codes) - killed - len(changes) - unchecked,
        unchecked=unchecked,
        excused=len(changes) - len(survivors),
        survivors=survivors,
        outdated=[
            change
            for change in excuses
            if not unchecked
            and any(fnmatch.fnmatch(change.module, pattern) for pattern in group.modules)
            and change not in changes.values()
        ],
    )


def _run(group: Group, names: Sequence[str], end: float) -> None:
    """Let mutmut work until it is done, or until the time is over."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        return
    command = [*_python(), "-c", "from mutmut.__main__ import cli; cli()", "run"]
    with (
        tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as scratch,
        (group.place / "mutmut.log").open("wb") as log,
        subprocess.Popen(
            [*command, *names],
            cwd=group.place,
            env={**_environment(group), "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as running,
    ):
        try:
            status = running.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(running)
            return
        except BaseException:
            _end(running)
            raise
    if status:
        raise click.ClickException(f"mutmut could not work on {group.name}; {group.place}/mutmut.log says why")


def _end(running: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(running.pid, number)
            running.wait(_GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _environment(group: Group) -> Mapping[str, str]:
    mutants = str(group.place / "mutants")
    return {**os.environ, "PYTHONPATH": mutants, "PYTHONDONTWRITEBYTECODE": "1", "PY_IGNORE_IMPORTMISMATCH": "1"}


def _codes(group: Group) -> Iterator[tuple[str, int | None]]:
    """The mutants, and what the tests returned for each, as mutmut keeps it; None where they did not run yet."""
    for path in sorted((group.place / "mutants").rglob("*.meta")):
        codes: dict[str, Any] = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        yield from codes.items()


def _changes(group: Group, names: Sequence[str]) -> dict[str, Change]:
    """The changes that these mutants are, as mutmut shows them."""
    if not names:
        return {}
    shown = subprocess.run(
        [*_python(), "-c", _SHOW, *names], cwd=group.place, check=True, capture_output=True, text=True
    ).stdout
    return {name: Change.parse(diff) for name, diff in zip(names, shown.split(_END)[:-1], strict=True)}


def _python() -> list[str]:
    return python_with(TOOLS, ("atheris", "mutmut"))
