"""The soak of ``benchmarks/soak.py``, shorter: many threads sign while one request in fifty fails, the key is looked up
anew each second and its credentials are replaced.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured_processes")
def test_every_call_ends_in_a_signature_that_verifies_or_in_an_error_of_ours() -> None:
    program = [sys.executable, "-m", "benchmarks.soak", "--signatures", "3000", "--threads", "64"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
