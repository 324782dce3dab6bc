"""Mutation testing with mutmut: does a test fail for each small change of the code that matters most?

mutmut takes the name of a module for its path, which is not so in a workspace of several distributions. So each group
of ``mutants.toml`` gets a copy of its own in ``build``, with all packages side by side; its results stay there, and the
next run goes on from them. mutmut changes neither properties nor what is outside of functions.

A mutant that no test finds needs a reason in ``survivors.toml``, where it is known by its change, not by its number.
"""

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from benchmarks.peers import python_with

HERE = Path(__file__).parent
ROOT = HERE.parent
TOOLS = HERE / "tools.txt"
COPIES = ROOT / "build" / "sweep" / "mutation"
KILLED = (1, 3)
#: mutmut's exit codes: no test failed, or none reached the function.
SURVIVED = (0, 5, 33)
_TEXT = re.compile(r"""(["\'])((?:(?!\1).)*)\1""")
_CODEC = re.compile(r"""\b(?:en|de)code\((["\'])[\w-]+\1\)""")
_END = "== end of a mutant ==\n"
_SHOW = f"""
import sys
from mutmut.__main__ import cli
for name in sys.argv[1:]:
    cli(["show", name], standalone_mode=False)
    print({_END!r}, end="")
"""
_ARGUMENTS = ("-p", "no:cacheprovider", "--hypothesis-profile", "quick", "--hypothesis-seed", "1")
_GRACE = 20.0  # seconds that a run may take to end after it was told to
#: A test that does not end under a mutant has found it.
_HANGING = "faulthandler_timeout = 20\nfaulthandler_exit_on_timeout = true"


@attrs.frozen(order=True)
class Change:
    """What a mutant is: a change of a module."""

    module: str
    was: str
    becomes: str

    @property
    def is_of_wording(self) -> bool:
        """Whether it changes only the case of a message's letters, or puts something before and behind it."""
        return " " in "".join(text for _, text in _TEXT.findall(self.was)) and _words(self.was) == _words(self.becomes)

    @property
    def is_of_codec(self) -> bool:
        """Whether it changes only the case of a codec's name, which Python does not mind."""
        return self.was != self.becomes and _codecs_in_lower_case(self.was) == _codecs_in_lower_case(self.becomes)


@attrs.frozen
class Group:
    """Modules that are mutated, and the tests that concern them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    #: Those among them that take long and find nothing that others do not.
    leave_out: tuple[str, ...] = ()

    @property
    def place(self) -> Path:
        """The copy that mutmut works in."""
        return COPIES / self.name


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


def groups() -> list[Group]:
    """All of them, in the file's order."""
    tables = tomllib.loads((HERE / "mutants.toml").read_text("utf-8"))
    return [Group(name, **{key: tuple(values) for key, values in each.items()}) for name, each in tables.items()]


def reasons() -> dict[Change, str]:
    """Why a change that no test finds is none that a test should find."""
    tables = tomllib.loads((HERE / "survivors.toml").read_text("utf-8")).get("survivor", [])
    return {Change(each["module"], each["was"], each["becomes"]): each["reason"] for each in tables}


def mutate(group: Group, *, seconds: float, fresh: bool) -> Result:
    """Go on with the group's mutants for that long. Survivors of an earlier run that have no reason are tried again."""
    if fresh:
        shutil.rmtree(group.place, ignore_errors=True)
    _copy(group)
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
    survivors = {
        name: change
        for name, change in changes.items()
        if change not in excuses and not change.is_of_wording and not change.is_of_codec
    }
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


def _copy(group: Group) -> None:
    """Bring the copy up to date; what did not change keeps its time, by which mutmut knows its mutants again."""
    packages = [ROOT / "signer_core", *sorted(ROOT.glob("plugins/*/signer_*"))]
    for source in [*packages, ROOT / "tests", ROOT / "benchmarks"]:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "images")
        shutil.copytree(source, group.place / source.name, ignore=ignored, dirs_exist_ok=True)
    # mutmut copies what is not there yet; so what it does not mutate must be taken to where the tests run.
    for path in [*packages, ROOT / "tests"]:
        _refresh(group, path.name)
    shutil.copy2(ROOT / "conftest.py", group.place)
    (group.place / "mutants").mkdir(
        exist_ok=True
    )  # or Python, on whose path it is, would remember that it is not there
    _keep_killed(group)
    (group.place / "pyproject.toml").write_text(_settings(group, [path.name for path in packages]), "utf-8")


def _keep_killed(group: Group) -> None:
    """Where tests were only added, have mutmut ask anew which tests reach what: else it forgets what it knows."""
    settings = group.place / "pyproject.toml"
    if settings.exists():
        mutmut = tomllib.loads(settings.read_text("utf-8"))["tool"]["mutmut"]
        before = mutmut["pytest_add_cli_args_test_selection"]
        if before != list(group.tests) and set(before) <= set(group.tests):
            (group.place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def _refresh(group: Group, name: str) -> None:
    """Take away the copies of mutmut's that are older than their source, if it is not one that mutmut mutates."""
    for path in (group.place / "mutants" / name).rglob("*.py"):
        source = group.place / path.relative_to(group.place / "mutants")
        if not source.exists() or (not path.with_name(f"{path.name}.meta").exists() and _differs(path, source)):
            path.unlink()


def _differs(path: Path, other: Path) -> bool:
    return path.read_bytes() != other.read_bytes()


def _settings(group: Group, packages: Sequence[str]) -> str:
    """The copy's pyproject.toml: pytest's part of ours, and mutmut's."""
    ours = (ROOT / "pyproject.toml").read_text("utf-8")
    _, heading, rest = ours.partition("[tool.pytest.ini_options]\n")
    pytest = re.sub(r"(?m)^faulthandler_timeout = .*", _HANGING, rest.partition("\n[")[0])
    settings = {
        "source_paths": packages,
        "only_mutate": group.modules,
        "also_copy": ["conftest.py", "benchmarks"],
        "pytest_add_cli_args_test_selection": group.tests,
        "pytest_add_cli_args": [*_ARGUMENTS, *(f"--deselect={each}" for each in group.leave_out)],
        "timeout_multiplier": 2.0,
        "timeout_constant": 20.0,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join([heading + pytest, "[tool.mutmut]", *lines, ""])


def _run(group: Group, names: Sequence[str], end: float) -> None:
    """Let mutmut work until it is done, or until the time is over."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        return
    command = [*_python(), "-c", "from mutmut.__main__ import cli; cli()", "run"]
    with (
        (group.place / "mutmut.log").open("wb") as log,
        subprocess.Popen(
            [*command, *names],
            cwd=group.place,
            env=_environment(group),
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
    return {name: _change(diff) for name, diff in zip(names, shown.split(_END)[:-1], strict=True)}


def _change(diff: str) -> Change:
    lines = diff.splitlines()
    path = next(line.removeprefix("+++ ").strip() for line in lines if line.startswith("+++ "))
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3))
        for sign in "-+"
    )
    return Change(path, was, becomes)


def _python() -> list[str]:
    return python_with(TOOLS, ("atheris", "mutmut"))


def _words(line: str) -> str:
    return line.replace("XX", "").casefold()


def _codecs_in_lower_case(line: str) -> str:
    return _CODEC.sub(lambda code: code[0].lower(), line)
