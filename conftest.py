"""Runs every example in README.md, docs/ and the docstrings: each document in an empty directory of its own.

=============  ========================================================================================================
block          what is done with it
=============  ========================================================================================================
``python``     executed; with ``>>>``, its output is compared; or written to the file that its first line names
``console``    each line that begins with ``$`` is run, and its output compared. It must succeed, unless its output here
               begins with ``error:``, which is what it then writes to stderr. A block is one shell, which begins in
               the document's directory; what it exports stays. One that runs a program which is not installed is left
               out, if it is one of those in tests/peers.py: so a block with such a program has nothing else to do
``toml`` etc.  written to the file that its first line names in a comment, as ``# signer.toml``; the rest, parts of
               files, are read, so that they are right as far as they go
``text``       not run: what something writes, or looks like
``sh``         not run: for what installs or runs the project itself, which .ci/run does
=============  ========================================================================================================

In outputs ``...`` stands for anything. The page docs/tutorial/first-backend.md needs an environment of its own, so
tests/tutorial.py runs it, in the step ``tutorial`` of .ci/run.
"""

import doctest
import functools
import itertools
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from sybil import Example, Sybil
from sybil.document import PythonDocStringDocument
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

pytest_plugins = ["tests.peers", "tests.quick"]
collect_ignore = ["signer_core/cli/templates"]  # the tests of distributions that are made of them

#: The languages of files, and what reads them.
LANGUAGES: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "text": str,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run_console(example: Example) -> str | None:
    """Run the commands of a ``console`` block, in one shell; what is wrong with the first that is, or None."""
    steps = []
    for part in f"\n{example.parsed}".split("\n$ ")[1:]:
        first, *rest = part.rstrip("\n").split("\n")
        continued = list(itertools.takewhile(lambda line: line.startswith("> "), rest))
        command = "\n".join([first, *(line.removeprefix("> ") for line in continued)])
        steps.append((command, "".join(f"{line}\n" for line in rest[len(continued) :])))
    with tempfile.TemporaryDirectory() as place:
        results = [Path(place, str(number)) for number in range(len(steps))]
        script = "".join(
            f"{{ {command}\n}} >{result}.out 2>{result}.err\necho $? >{result}.status\n"
            for result, (command, _) in zip(results, steps, strict=True)
        )
        script += f"env -0 >{place}/environment\n"
        subprocess.run(["/bin/sh", "-c", script], stdin=subprocess.DEVNULL, timeout=300, check=True)
        left = [each.partition("=") for each in Path(place, "environment").read_text("utf-8").split("\0") if each]
        os.environ.update({name: value for name, _, value in left})
        for result, (command, expected) in zip(results, steps, strict=True):
            status, out, err = (Path(f"{result}.{each}").read_text("utf-8") for each in ("status", "out", "err"))
            fails = expected.startswith("error:")
            if (status != "0\n") is not fails:
                return f"$ {command}\nexit status {status}{out}{err}"
            if not doctest.OutputChecker().check_output(expected, err if fails else out, OPTIONS):
                return f"$ {command}\nexpected:\n{expected}\nbut it wrote:\n{out}{err}"
    return None


def write_file(example: Example, read: Callable[[str], object] | None = None) -> None:
    """Write a block whose first line is a comment with a file's name; the name is relative to the directory.

    ``read`` is for what is a part of a file.
    """
    heading, _, content = str(example.parsed).partition("\n")
    name = heading.removeprefix("# ")
    if heading.startswith("# ") and " " not in name:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    elif read is not None:
        read(example.parsed)


def enter(namespace: dict[str, Any]) -> None:
    """Begin a document: an empty directory, and of the environment only what a fresh shell has."""
    namespace["_before"] = Path.cwd(), dict(os.environ), os.umask(0o022)
    namespace["_place"] = place = tempfile.mkdtemp(prefix="signer-docs-")
    os.chdir(place)
    for name in [name for name in os.environ if name.startswith("SIGNER_")]:
        del os.environ[name]
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    os.environ.update(HOME=place, COLUMNS="100", NO_COLOR="1")


def leave(namespace: dict[str, Any]) -> None:
    """End a document."""
    directory, environment, umask = namespace["_before"]
    os.umask(umask)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    shutil.rmtree(namespace["_place"])


execute = PythonEvaluator()


def run_python(example: Example) -> None:
    """Execute a block, or write it, where its first line is a comment with a file's name."""
    if re.match(r"# \S+\.py\n", example.parsed):
        write_file(example)
    else:
        execute(example)


class PythonParser(PythonCodeBlockParser):
    """Python in a document."""

    def __init__(self) -> None:
        super().__init__(doctest_optionflags=OPTIONS)
        self.codeblock_parser = CodeBlockParser("python", run_python)


documents = Sybil(
    parsers=[
        SkipParser(),
        PythonParser(),
        CodeBlockParser("console", run_console),
        *(CodeBlockParser(each, functools.partial(write_file, read=read)) for each, read in LANGUAGES.items()),
    ],
    excludes=["tests/*/*/*/README.md", "docs/tutorial/first-backend.md"],
    patterns=["README.md", "docs/*.md", "docs/*/*.md", "plugins/*/README.md"],
    setup=enter,
    teardown=leave,
)

docstrings = Sybil(
    parsers=[DocTestParser(OPTIONS)],
    patterns=["signer_core/*.py", "signer_core/*/*.py", "plugins/*/signer_*/*.py"],
    document_types={".py": PythonDocStringDocument},
    setup=enter,
    teardown=leave,
)

pytest_collect_file = (documents + docstrings).pytest()
