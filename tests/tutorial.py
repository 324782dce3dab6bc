"""Does what docs/tutorial/first-backend.md says, as its reader would: in an empty directory, with a wheel of the core.

``python -m tests.tutorial dist/signer_core-….whl``. The rules are those of conftest.py, but no block is left out, and
``python`` blocks are files, which their first line names. In the end mypy and ruff judge what was written.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

from sybil import Example, Sybil
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser

from conftest import enter, leave, run_console, write_file

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial" / "first-backend.md"
FILES = ("python", "toml")
WRITTEN = ("signer_keyservice", "tests")
LIMIT = 300  # seconds


def write_named_file(example: Example) -> str | None:
    """Write a block to the file that its first line names, which it must."""
    if not re.match(r"# \S+\n", example.parsed):
        return "the first line does not name a file"
    write_file(example)
    return None


page = Sybil([CodeBlockParser("console", run_console), *(CodeBlockParser(each, write_named_file) for each in FILES)])


def become_the_reader(wheel: Path) -> None:
    """Put this checkout and its environment out of reach, and the wheel where `pip install signer-core` finds it."""
    scripts = sysconfig.get_path("scripts")
    path = [f"{sys.base_prefix}/bin", *(each for each in os.environ["PATH"].split(os.pathsep) if each != scripts)]
    os.environ["PATH"] = os.pathsep.join(path)
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    python = shutil.which("python3") or "python3"  # the one that makes the reader's environment
    subprocess.run(["uv", "venv", "--quiet", "--python", python, ".venv"], check=True)
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", ".venv", wheel], check=True)


def judge() -> None:
    """Types and style of what was written; for its author signer_core is somebody else's."""
    rules = ["--config", str(ROOT / "pyproject.toml"), "--config", 'src = ["."]']
    for tool in (
        ["mypy", "--strict", "--python-executable", ".venv/bin/python"],
        ["ruff", "check", *rules],
        ["ruff", "format", "--check", *rules],
    ):
        subprocess.run([sys.executable, "-m", *tool, *WRITTEN], check=True)


def main(wheel: Path) -> None:
    """Go through the page; a failure tells the line."""
    document = page.parse(PAGE)
    left_out = set(re.findall(r"^```(\w+)", document.text, re.MULTILINE)) - {"console", *FILES}
    if left_out:
        sys.exit(f"{PAGE}: blocks of {', '.join(left_out)} would not be run")
    home = os.environ["HOME"]
    enter(document.namespace)
    os.environ["HOME"] = home  # pip's settings and cache are the machine's
    try:
        become_the_reader(wheel)
        for example in document:
            example.evaluate()
        judge()
    except (SybilFailure, subprocess.CalledProcessError) as failure:
        sys.exit(str(failure))
    finally:
        leave(document.namespace)


def out_of_time(*_: object) -> NoReturn:
    """Give up."""
    raise TimeoutError(f"{PAGE} took more than {LIMIT} seconds")


if __name__ == "__main__":
    # What the page starts in the background ends with it, however it ends.
    os.setpgid(0, 0)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(LIMIT)
    try:
        main(Path(sys.argv[1]).absolute())
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
