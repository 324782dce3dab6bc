"""Other programs, and what is said where one fails or something stands in a release's way."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import click


class Refused(click.ClickException):
    """There is no release, for this reason; the command prints it and its status is 1."""


def run(
    *command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None, stdin: bytes = b""
) -> str:
    """What a program wrote to its standard output; :class:`Refused`, with all it wrote, unless it succeeded.

    ``environment`` is added to that of this process. Programs of this Python's environment come before all others.
    """
    scripts = sysconfig.get_path("scripts")
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    name, *arguments = (str(each) for each in command)
    program = shutil.which(name, path=path)
    if program is None:
        raise Refused(f"{name} is not installed")
    done = subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {}), "PATH": path},
        input=stdin,
        capture_output=True,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Refused(f"{shlex.join([name, *arguments])} failed:\n{output}{done.stderr.decode(errors='replace')}")
    return output
