"""The groups of modules that are mutated, each with a copy of everything that mutmut can work in.

mutmut takes the name of a module for its path, which is not so in a workspace of several distributions. So a copy has
all packages side by side; mutmut's results stay there.
"""

import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path

import attrs

HERE = Path(__file__).parent
ROOT = HERE.parent
COPIES = ROOT / "build" / "sweep" / "mutation"
_ARGUMENTS = (
    *("-p", "no:cacheprovider", "-p", "sweep.remembering"),
    *("--hypothesis-profile", "quick", "--hypothesis-seed", "1"),
)
#: A test that does not end under a mutant has found it.
_HANGING = "faulthandler_timeout = 20\nfaulthandler_exit_on_timeout = true"


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


def groups() -> list[Group]:
    """All of them, in the file's order."""
    tables = tomllib.loads((HERE / "mutants.toml").read_text("utf-8"))
    return [Group(name, **{key: tuple(values) for key, values in each.items()}) for name, each in tables.items()]


def copy(group: Group) -> None:
    """Bring the copy up to date; what did not change keeps its time, by which mutmut knows its mutants again."""
    packages = [ROOT / "signer_core", *sorted(ROOT.glob("plugins/*/signer_*"))]
    for source in [*packages, ROOT / "tests", ROOT / "benchmarks", ROOT / "sweep"]:
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
        "also_copy": ["conftest.py", "benchmarks", "sweep"],
        "pytest_add_cli_args_test_selection": group.tests,
        "pytest_add_cli_args": [*_ARGUMENTS, *(f"--deselect={each}" for each in group.leave_out)],
        "timeout_multiplier": 2.0,
        "timeout_constant": 20.0,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join([heading + pytest, "[tool.mutmut]", *lines, ""])
