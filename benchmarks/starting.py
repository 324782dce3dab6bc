"""From the start of a process to its first signature: beside a script that uses cryptography alone."""

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Comparison, compared, interleaved, process

RAW = """
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
Ed25519PrivateKey.generate().sign(b"message")
"""

OURS = """
from signer_core import create_signer
create_signer({"backend": "noop"}).sign(b"message")
"""

#: The imports that nobody can avoid who uses what signer-core stands on, and signs.
FLOOR = f"""
import logging
import attrs, importlib_metadata, pluggy
{RAW}
"""


def comparisons() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory() as directory:
        programs = {"raw": RAW, "ours": OURS, "floor": FLOOR, "command floor": f"import click\n{FLOOR}"}
        scripts = {name: str(Path(directory, f"{name}.py")) for name in programs}
        for name, program in programs.items():
            Path(scripts[name]).write_text(program)
        Path(directory, "message").write_bytes(b"message")
        signer = os.path.join(sysconfig.get_path("scripts"), "signer")
        command = [signer, "--backend", "noop", "sign", "message", "-o", os.devnull]
        times = interleaved(
            {
                **{name: process([sys.executable, script], cwd=directory) for name, script in scripts.items()},
                "command": process(command, cwd=directory),
            },
            rounds=40,
        )
        yield compared("first signature, noop", times["ours"], times["raw"], 3.2)
        yield compared(
            "  beside its floor", times["ours"], times["floor"], 1.15, who="first signature, noop", chart="start"
        )
        yield compared("  the floor, its imports", times["floor"], times["raw"], None)
        yield compared("signer sign, noop", times["command"], times["raw"], 4.5)
        yield compared(
            "  command beside its floor",
            times["command"],
            times["command floor"],
            1.15,
            who="signer sign, noop",
            chart="start",
        )
        yield compared("  the command's floor", times["command floor"], times["raw"], None)
