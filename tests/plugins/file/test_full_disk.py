"""A disk that takes no more leaves what was there, and nothing half written."""

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Deadline, Secret, create_signer, init_signer
from signer_core.errors import BackendUnavailableError
from signer_file.changing import change_passphrase, choose_place, import_key
from signer_file.config import FileConfig
from signer_file.key_file import KeyFile
from signer_file.location import find_existing

from .keys import ASCII, LEGACY, names_in, options

TAKING_SPACE = ("write", "fsync", "link", "replace", "mkdir")


@pytest.fixture
def fill_disk_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Let the disk be full from the given change of a file on; returns the changes that were asked for."""

    def fill_disk_at(number: int) -> list[str]:
        monkeypatch.undo()
        asked: list[str] = []

        def failing(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
            def changing_or_failing(*arguments: Any, **named: Any) -> Any:
                asked.append(name)
                if len(asked) >= number:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return change(*arguments, **named)

            return changing_or_failing

        for name in TAKING_SPACE:
            monkeypatch.setattr(os, name, failing(name, getattr(os, name)))
        return asked

    return fill_disk_at


def config(path: Path) -> FileConfig:
    return FileConfig(path=path, passphrase=Secret(ASCII.passphrase))


def init(path: Path) -> None:
    init_signer(options(path, ASCII.passphrase)).close()


def import_by_force(path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(LEGACY.seed)
    import_key(config(path), key, choose_place(config(path), force=True), force=True, deadline=Deadline.after(None))


def passwd(path: Path) -> None:
    file = KeyFile.read(find_existing(config(path)))
    change_passphrase(file, file.open(ASCII.passphrase), b"new", Deadline.after(None))


def failures(command: Callable[[Path], None], path: Path, fill_disk_at: Callable[[int], list[str]]) -> Any:
    """Run the command with a disk that is full from its first change on, then from its second, …, until it succeeds."""
    number = 1
    while True:
        asked = fill_disk_at(number)
        try:
            command(path)
        except BackendUnavailableError as error:
            assert "No space left on device" in error.message
            yield asked[-1], error.message
        else:
            return
        number += 1


def test_init_on_a_full_disk_leaves_nothing(tmp_path: Path, fill_disk_at: Callable[[int], list[str]]) -> None:
    failed = []
    for number, (change, message) in enumerate(failures(init, tmp_path / "a" / "keys", fill_disk_at)):
        left = [each.name for each in tmp_path.rglob("*") if not each.is_dir()]
        failed.append((change, "nothing was changed" in message, left))
    assert failed == []


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path) -> None:
    """With the real limit of the system, which lets the first bytes through."""
    script = """
        import resource, sys
        from signer_core import Secret, init_signer

        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            init_signer({"backend": "file", "path": sys.argv[1], "passphrase": Secret(b"passphrase")})
        except Exception as error:
            print(type(error).__name__, error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "keys")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    path = tmp_path / "keys" / "signer.json"
    assert printed == f"BackendUnavailableError {path} cannot be written, and nothing was changed: File too large\n"
    assert names_in(tmp_path / "keys") == []
