"""The interpreter that has what signer-core is measured beside: this one, or one that uv makes for the moment."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
REQUIREMENTS = Path(__file__).with_name("peers.txt")
MODULES = ("aiobotocore", "boto3", "matplotlib", "nacl", "securesystemslib")


def python_with_peers() -> list[str]:
    """How a command begins that runs Python with the peers. Raises click's error where there is no way to them."""
    if all(importlib.util.find_spec(module) for module in MODULES):
        return [sys.executable]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise click.ClickException(
            f"what to compare with is not installed, and neither is uv, which would bring it: "
            f"pip install uv, or pip install -r {REQUIREMENTS.relative_to(ROOT)}"
        )
    here = ["--quiet", "--no-sync", "--project", str(ROOT)]
    return [uv, "run", *here, "--with-requirements", str(REQUIREMENTS), "python"]
