"""Run a command again and again, and have SIGKILL stop it at its first change of a file, at its second, and so on.

``python crashing.py TEMPLATE WORK COMMAND…`` copies the directory TEMPLATE to WORK/1, runs ``signer file COMMAND…`` (or
``init``) there until the first change, does the same in WORK/2 until the second, …, until the command comes to its end.
Each run is a process of its own. Writes the exit status of each; minus 9 is SIGKILL's.
"""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signer_core import Secret, init_signer
from signer_core.cli import main
from signer_file import changing, commands, evnode, imported, opening, pkcs8  # noqa: F401 — loaded once for all runs

CHANGES = ("write", "fsync", "link", "rename", "replace", "unlink", "mkdir")


def stop_at(fatal: int) -> None:
    """Have the ``fatal``-th change kill the process: a write when half is written, any other before it is made."""
    numbers = itertools.count(1)

    def stopping(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
        def changing_or_dying(*arguments: Any, **named: Any) -> Any:
            if next(numbers) == fatal:
                if name == "write":
                    descriptor, content = arguments
                    change(descriptor, content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **named)

        return changing_or_dying

    for name in CHANGES:
        setattr(os, name, stopping(name, getattr(os, name)))


def run(command: list[str]) -> None:
    if command == ["init"]:
        init_signer({"backend": "file", "path": "new/keys", "passphrase": Secret(b"old")}).close()
    else:
        options = ["--backend", "file", "--set", "path=keys", "--set", "passphrase=file:passphrase"]
        main([*options, "file", *command])


def run_and_stop_at(fatal: int, directory: Path, command: list[str]) -> int:
    """The exit status of the process that ran the command."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir(directory)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            stop_at(fatal)
            run(command)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    template, work = Path(sys.argv[1]), Path(sys.argv[2])
    for number in itertools.count(1):
        shutil.copytree(template, work / str(number), symlinks=True)
        ended = run_and_stop_at(number, work / str(number), sys.argv[3:])
        sys.stdout.write(f"{ended}\n")
        if ended != -signal.SIGKILL:
            break
