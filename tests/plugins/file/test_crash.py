"""A process that is killed at any moment leaves a whole key."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from signer_core import create_signer, init_signer
from signer_core.errors import KeyNotFoundError, WrongPassphraseError
from signer_file.check import verdicts
from signer_file.config import FileConfig

from . import crashing
from .keys import ASCII, LEGACY, names_in, options, write_private

pytestmark = [
    pytest.mark.slow,  # kills a process at each change of a file
    pytest.mark.usefixtures("unmeasured_processes"),
]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Where each run begins: a key, its passphrase, a new one, and another key to import."""
    template = tmp_path / "template"
    (template / "keys").mkdir(parents=True, mode=0o700)
    ASCII.copy_to(template / "keys")
    write_private(template / "passphrase", ASCII.passphrase)
    write_private(template / "new", b"new")
    write_private(template / "other", LEGACY.seed.hex().encode())
    return template


def directories_after_each_crash(template: Path, *command: str) -> list[Path]:
    """What the command left where it was killed at its first change of a file, its second, …, and not at all."""
    work = template.parent / "work"
    run = [sys.executable, crashing.__file__, str(template), str(work), *command]
    printed = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout
    *killed, ended = map(int, printed.splitlines())
    assert (set(killed), ended) == ({-signal.SIGKILL}, 0)
    # at the very least: write, fsync, link or replace, unlink, fsync of the directory
    assert len(killed) >= 5
    return [work / str(number) for number in range(1, len(killed) + 2)]


def address(path: Path, passphrase: bytes) -> str:
    with create_signer(options(path, passphrase)) as signer:
        return signer.address.hex()


def test_init_leaves_a_whole_key_or_none_and_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    found = []
    for directory in directories_after_each_crash(tmp_path / "template", "init"):
        path = directory / "new" / "keys"
        try:
            before = address(path, b"old")
        except KeyNotFoundError:
            before = None
        with init_signer(options(path, b"old")) as signer:
            assert before in (None, signer.address.hex())
        found.append(before is not None)
    assert found == sorted(found), "once there, the key stays there"
    assert (found[0], found[-1]) == (False, True)


def test_import_by_force_leaves_the_old_key_or_the_new_one_with_a_backup(template: Path) -> None:
    seen = []
    for directory in directories_after_each_crash(template, "import", "--force", "other"):
        keys = directory / "keys"
        now = address(keys, ASCII.passphrase)
        if now == LEGACY.address:
            (keys / "signer.json.bak").rename(directory / "backup.json")
            assert address(directory / "backup.json", ASCII.passphrase) == ASCII.address
        seen.append(now)
    assert seen == sorted(seen, key=[ASCII.address, LEGACY.address].index)
    assert {seen[0], seen[-1]} == {ASCII.address, LEGACY.address}


def test_passwd_leaves_the_key_under_the_old_passphrase_or_the_new_one(template: Path) -> None:
    renewed = []
    for directory in directories_after_each_crash(template, "passwd", "--new-passphrase", "file:new"):
        try:
            assert address(directory / "keys", ASCII.passphrase) == ASCII.address
            renewed.append(False)
        except WrongPassphraseError:
            assert address(directory / "keys", b"new") == ASCII.address
            renewed.append(True)
    assert renewed == sorted(renewed)
    assert (renewed[0], renewed[-1]) == (False, True)
    assert names_in(directory / "keys") == ["signer.json"]


def test_a_check_finds_all_that_a_killed_passwd_leaves(template: Path) -> None:
    for directory in directories_after_each_crash(template, "passwd", "--new-passphrase", "file:new"):
        told = [each.remedy for each in verdicts(FileConfig(path=directory / "keys")) if each.step == "leftover files"]
        left = set(names_in(directory / "keys")) - {"signer.json"}
        assert told == [f"rm {directory / 'keys' / name}" for name in left]
