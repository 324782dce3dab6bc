"""A disk that takes no more leaves what was there, and nothing half written."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Algorithm, Deadline, Secret, create_signer, init_signer
from signer_core.errors import BackendUnavailableError
from signer_file.changing import change_passphrase, import_key, look_for_place
from signer_file.config import FileConfig
from signer_file.key_file import KeyFile
from signer_file.location import find_existing

from .keys import ASCII, LEGACY, names_in, options

pytestmark = pytest.mark.slow  # fills the disk at each change of a file

TAKING_SPACE = ("write", "fsync", "link", "replace", "mkdir")


FillDisk = Callable[[int | None], None]


@pytest.fixture
def fill_disk_at(monkeypatch: pytest.MonkeyPatch) -> FillDisk:
    """Let the disk be full from the ``number``-th change of a file on; not at all with None."""

    def fill_disk_at(number: int | None) -> None:
        monkeypatch.undo()
        if number is None:
            return
        numbers = itertools.count(1)

        def failing(change: Callable[..., Any]) -> Callable[..., Any]:
            def changing_or_failing(*arguments: Any, **named: Any) -> Any:
                if next(numbers) >= number:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return change(*arguments, **named)

            return changing_or_failing

        for name in TAKING_SPACE:
            monkeypatch.setattr(os, name, failing(getattr(os, name)))

    return fill_disk_at


def config(path: Path) -> FileConfig:
    return FileConfig(path=path, passphrase=Secret(ASCII.passphrase))


def init(path: Path) -> None:
    init_signer(options(path, ASCII.passphrase)).close()


def import_by_force(path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(LEGACY.seed)
    there = look_for_place(config(path), force=True)
    import_key(config(path), key, Algorithm.ED25519, there, force=True, deadline=Deadline.after(None))


def passwd(path: Path) -> None:
    file = KeyFile.read(find_existing(config(path)))
    change_passphrase(file, file.open(ASCII.passphrase), b"new", Deadline.after(None))


def left_by(command: Callable[[Path], None], directory: Path, fill_disk_at: FillDisk, *, template: Path) -> list[Path]:
    """What the command left with a disk that was full from its first change on, from its second, …, and not at all.

    Each run begins with a copy of the template.
    """
    left = []
    for number in itertools.count(1):
        fill_disk_at(None)
        left.append(Path(shutil.copytree(template, directory / str(number))))
        fill_disk_at(number)
        try:
            command(left[-1] / "keys")
        except BackendUnavailableError as error:
            if "No space left on device" not in error.message:
                raise
        else:
            break
    fill_disk_at(None)
    return left


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Nothing but a key."""
    template = tmp_path / "template"
    (template / "keys").mkdir(parents=True, mode=0o700)
    ASCII.copy_to(template / "keys")
    return template


def address(path: Path, passphrase: bytes = ASCII.passphrase) -> str:
    with create_signer(options(path, passphrase)) as signer:
        return signer.address.hex()


def test_init_leaves_nothing_or_a_whole_key(tmp_path: Path, fill_disk_at: FillDisk) -> None:
    (tmp_path / "template").mkdir()
    *full, unsynced, done = left_by(init, tmp_path, fill_disk_at, template=tmp_path / "template")
    assert [[each.name for each in directory.rglob("*") if not each.is_dir()] for directory in full] == [[]] * 5
    for directory in (unsynced, done):
        assert names_in(directory / "keys") == ["signer.json"]
        address(directory / "keys")


def test_import_by_force_leaves_the_old_key_or_the_new_one(
    template: Path, tmp_path: Path, fill_disk_at: FillDisk
) -> None:
    *full, unsynced, done = left_by(import_by_force, tmp_path, fill_disk_at, template=template)
    assert [address(directory / "keys") for directory in full] == [ASCII.address] * 5
    assert [address(directory / "keys") for directory in (unsynced, done)] == [LEGACY.address] * 2
    files = [names_in(directory / "keys") for directory in (*full, unsynced, done)]
    assert files == [["signer.json"], *[["signer.json", "signer.json.bak"]] * 6]


def test_passwd_leaves_the_old_file_or_the_new_one(template: Path, tmp_path: Path, fill_disk_at: FillDisk) -> None:
    *full, unsynced, done = left_by(passwd, tmp_path, fill_disk_at, template=template)
    assert [(directory / "keys" / "signer.json").read_bytes() for directory in full] == [ASCII.content] * 3
    assert [address(directory / "keys", b"new") for directory in (unsynced, done)] == [ASCII.address] * 2
    files = [names_in(directory / "keys") for directory in (*full, unsynced, done)]
    assert files == [["signer.json"]] * 5


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path) -> None:
    """With the real limit of the system, which lets the first bytes through."""
    script = """
        import resource, sys
        from signer_core import Secret, init_signer

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            init_signer({"backend": "file", "path": sys.argv[1], "passphrase": Secret(b"passphrase")})
        except Exception as error:
            print(type(error).__name__, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "keys")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    path = tmp_path / "keys" / "signer.json"
    assert printed.startswith(
        f"BackendUnavailableError {path} cannot be written, and nothing was changed: File too large"
    )
    assert names_in(tmp_path / "keys") == []
