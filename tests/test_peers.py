"""What happens to tests against a program that is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # collects tests in processes of its own

ROOT = Path(__file__).parent.parent
SELECTED = ["tests/test_public_key.py", "docs/tutorial/first-signature.md"]


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "subprocess.CompletedProcess[str]":
    """What pytest would run where nothing is installed but Python."""
    monkeypatch.setenv("PATH", str(tmp_path))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *SELECTED]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


@pytest.mark.usefixtures("at_home")
def test_they_are_left_out_which_is_said(collected: "subprocess.CompletedProcess[str]") -> None:
    assert collected.returncode == 0
    assert "test_pem_and_der_are_those_of_openssl" not in collected.stdout
    assert "test_der_is_that_of_rfc_8410" in collected.stdout
    assert "first-signature.md" in collected.stdout
    assert [line for line in collected.stdout.splitlines() if "not installed" in line] == [
        "openssl is not installed: 2 test(s) against it are left out; apt-get install openssl",
        "ssh-keygen is not installed: 1 test(s) against it are left out; apt-get install openssh-client",
    ]


@pytest.mark.usefixtures("in_ci")
def test_in_ci_that_is_an_error(collected: "subprocess.CompletedProcess[str]") -> None:
    assert collected.returncode == pytest.ExitCode.USAGE_ERROR
    assert "openssl is not installed: 2 test(s) against it would be left out" in collected.stderr
