"""The interpreter that has what signer-core is measured beside: this one, or one that uv makes for the moment."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
REQUIREMENTS = Path(__file__).with_name("peers.txt")
MODULES = ("aiobotocore", "boto3", "matplotlib", "nacl", "securesystemslib")


def python_with_peers() -> list[str]:
    """How a command begins that runs Python with the peers. Raises click's error where there is no way to them."""
    return python_with(REQUIREMENTS, MODULES)


def python_with(requirements: Path, modules: Sequence[str]) -> list[str]:
    """How a command begins that runs Python with the ``requirements``, a file, which bring the ``modules``."""
    if all(importlib.util.find_spec(module) for module in modules):
        return [sys.executable]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise click.ClickException(
            f"{', '.join(modules)} are not all installed, and neither is uv, which would bring them: "
            f"pip install uv, or pip install -r {requirements.relative_to(ROOT)}"
        )
    here = ["--quiet", "--no-sync", "--project", str(ROOT)]
    return [uv, "run", *here, "--with-requirements", str(requirements), "python"]
