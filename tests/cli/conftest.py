"""The command as tests run it: in this process, or as the program that is installed."""

import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from signer_core.cli import main

Signer = Callable[..., Result]

SEED = "07" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no ``SIGNER_…`` variable."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def signer() -> Signer:
    """``signer("--backend", "noop", "show")``, in this process."""

    def run(*arguments: str | Path, input: str | bytes | None = None) -> Result:  # noqa: A002 — the runner's own word
        return CliRunner().invoke(main, [str(each) for each in arguments], input=input)

    return run


@pytest.fixture
def noop(signer: Signer) -> Signer:
    """``noop("show")``: the command with a key that is always the same, and no configuration file."""

    def run(*arguments: str | Path, input: str | bytes | None = None) -> Result:  # noqa: A002
        return signer("--backend", "noop", "--set", f"seed={SEED}", *arguments, input=input)

    return run


PROGRAM = Path(sysconfig.get_path("scripts"), "signer")


def program(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The installed program, in a process of its own: not measured, since what it runs is run in this process, too."""
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, check=False, timeout=60, **{"env": unmeasured(), **options}
    )


def unmeasured() -> dict[str, str]:
    """The environment, for a process that imports and writes nothing for the measurement of coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def with_full_disk(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The installed program, which can write to no file."""
    return subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", PROGRAM, *arguments],
        capture_output=True,
        check=False,
        env=unmeasured(),
    )
