"""``signer demo``: what the project is for, in a temporary folder."""

import contextlib
import os
import re
import signal
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from signer_core import Algorithm, PublicKey
from signer_core.cli import demo
from tests.cli.conftest import PROGRAM, Signer
from tests.keys import until

pytestmark = pytest.mark.usefixtures("quick_passphrases")

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


def values(output: str, name: str) -> list[bytes]:
    """The values that the demonstration prints behind ``name``."""
    return [bytes.fromhex(value) for value in re.findall(rf"^ +{name} +([0-9a-f]+)$", output, re.MULTILINE)]


def test_two_keys_sign_the_readme(signer: Signer) -> None:
    result = signer("demo")
    assert result.exit_code == 0
    message = (ROOT / "README.md").read_bytes()
    keys = [PublicKey.from_raw(Algorithm.ED25519, raw) for raw in values(result.stdout, "public key")]
    assert [key.address for key in keys] == values(result.stdout, "address")
    assert len(set(keys)) == 2
    for key, signature in zip(keys, values(result.stdout, "signature"), strict=True):
        key.verify(signature, message)


def test_one_line_of_the_configuration_is_the_difference(signer: Signer) -> None:
    lines = [line.strip() for line in signer("demo").stdout.splitlines() if "backend =" in line]
    assert lines == [
        'signer = { backend = "file", path = "keys", passphrase = "file:passphrase" }',
        'signer = { backend = "noop" }',
    ]


def test_it_leaves_nothing_behind(signer: Signer, temporary: Path, folder: Path) -> None:
    signer("demo")
    assert (os.listdir(temporary), os.listdir(folder)) == ([], [])


def test_the_environment_does_not_lead_it_elsewhere(
    signer: Signer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER_PATH", str(folder / "real"))
    monkeypatch.setenv("SIGNER_SEED", "none")
    assert signer("demo").exit_code == 0
    assert os.listdir(folder) == []


def test_the_folder_is_for_nobody_but_its_owner(
    signer: Signer, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def opened(configuration: Path) -> object:
        modes.append(stat.S_IMODE(os.stat(configuration.parent).st_mode))
        return open_demo(configuration)

    open_demo = demo._opened
    monkeypatch.setattr(demo, "_opened", opened)
    assert signer("demo").exit_code == 0
    assert modes == [0o700, 0o700]


def test_away_from_a_checkout_it_signs_the_readme_in_the_metadata(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "a" / "b" / "demo.py"))
    result = signer("demo")
    assert result.exit_code == 0
    assert "This signs the README of signer-core, " in result.stdout


def test_a_failure_leaves_nothing_behind(signer: Signer, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_NOOP", 'signer = { backend = "missing" }')
    result = signer("demo")
    assert result.exit_code == 1
    assert "no backend 'missing' is installed" in result.stderr
    assert os.listdir(temporary) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_behind(number: signal.Signals, status: int, temporary: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    process = subprocess.Popen([PROGRAM, "demo"], stdout=writer, stderr=subprocess.PIPE)
    # Nobody reads, so its first words hold it up, when the folder is there.
    until(lambda: process.poll() is not None or any(temporary.glob("signer-demo-*/passphrase")))
    assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    os.close(reader)
    os.close(writer)
    assert (process.returncode, b"Traceback" in errors) == (status, False)
    assert os.listdir(temporary) == []


def test_in_another_thread_it_leaves_signals_alone(signer: Signer) -> None:
    before = signal.getsignal(signal.SIGTERM)
    results = []
    thread = threading.Thread(target=lambda: results.append(signer("demo").exit_code))
    thread.start()
    thread.join()
    assert results == [0]
    assert signal.getsignal(signal.SIGTERM) is before
