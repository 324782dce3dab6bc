"""What is told where the library is missing that an extra brings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from signer_core.extras import brought_by

IMPORTS = {
    "signer_core.testing": ("pytest", "signer-core[testing]"),
    "signer_core.testing.recording_key": ("pytest", "signer-core[testing]"),
    "signer_core.adapters.securesystemslib": ("securesystemslib", "signer-core[tuf]"),
    "signer_aws_kms.testing.fixtures": ("pytest", "signer-aws-kms[testing]"),
}


def without(library: str, folder: Path, program: str) -> "subprocess.CompletedProcess[str]":
    """Run ``program`` where everything is installed but ``library``."""
    path = []
    for entry in map(Path, sys.path):
        if entry.name not in ("site-packages", "dist-packages"):
            path.append(entry)  # where these tests and an editable installation lead
            continue
        path.append(folder / str(len(path)))
        path[-1].mkdir()
        for each in entry.iterdir():
            if each.stem.partition("-")[0] != library:
                (path[-1] / each.name).symlink_to(each)
    return subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("module", IMPORTS)
def test_import_without_the_extra_names_it(module: str, tmp_path: Path) -> None:
    library, extra = IMPORTS[module]
    done = without(library, tmp_path, f"import {module}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: No module named {library!r}; to have it: pip install '{extra}'"
    )


def test_all_that_needs_no_pytest_goes_without(tmp_path: Path) -> None:
    program = """
from signer_aws_kms.testing import FakeKms
from signer_core import create_signer

with FakeKms() as kms:
    print(kms.create_key(alias="alias/sequencer").arn[:4])
print(create_signer({"backend": "noop"}).algorithm)
from signer_aws_kms.testing import fake_kms
"""
    done = without("pytest", tmp_path, program)
    assert done.stdout == "arn:\ned25519\n"
    assert done.stderr.endswith(
        "ModuleNotFoundError: No module named 'pytest'; to have it: pip install 'signer-aws-kms[testing]'\n"
    )


def test_error_has_the_name_of_what_is_missing() -> None:
    told = r"; to have it: pip install 'signer-core\[a\]'$"
    with pytest.raises(ModuleNotFoundError, match=told) as raised, brought_by("signer-core[a]", "missing_library"):
        import missing_library  # type: ignore[import-not-found]  # noqa: F401
    assert raised.value.name == "missing_library"


def test_what_the_library_itself_lacks_is_another_error() -> None:
    told = "^No module named 'missing_library'$"
    with pytest.raises(ModuleNotFoundError, match=told), brought_by("signer-core[a]", "library"):
        import missing_library  # noqa: F401
