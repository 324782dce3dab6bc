"""What the mode and the owner of a key file let others do, whoever runs the tests."""

import os
import stat
from pathlib import Path

import pytest

from signer_file import permissions, store

FILE = Path("/keys/signer.json")
ROOT, OWNER, OTHER = 0, 1000, 1001


def status(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, owner, 0, 0, 0, 0))


def found(monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, reader: int) -> str | None:
    monkeypatch.setattr("os.geteuid", lambda: reader)
    finding = permissions.of_file(FILE, status(mode, owner))
    return None if finding is None else str(finding)


@pytest.mark.parametrize("reader", [ROOT, OWNER])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_the_owner_and_root_may_use_a_file_of_the_owner(
    monkeypatch: pytest.MonkeyPatch, mode: int, reader: int
) -> None:
    assert found(monkeypatch, mode, OWNER, reader) is None


def test_a_file_of_another_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, 0o600, OWNER, OTHER) == f"{FILE} belongs to another user (uid 1000); chown 1001 {FILE}"


@pytest.mark.parametrize("mode", [0o610, 0o620, 0o640, 0o601, 0o602, 0o604])
@pytest.mark.parametrize(("owner", "reader"), [(OWNER, OWNER), (OWNER, ROOT), (ROOT, ROOT)])
def test_every_right_of_others_is_told(monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, reader: int) -> None:
    expected = f"{FILE} has the mode {mode:04o}; chmod 600 {FILE}"
    assert found(monkeypatch, mode, owner, reader) == expected


def test_what_root_lends_to_a_group_may_be_read_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, 0o640, ROOT, OTHER) is None
    assert permissions.readers(status(0o640, ROOT)) == "only root and its group can read it"
    assert permissions.readers(status(0o600, ROOT)) == "only its owner can read it"


@pytest.mark.parametrize("mode", [0o650, 0o660, 0o641, 0o642, 0o644])
def test_what_root_lends_to_a_group_is_for_it_alone_and_to_be_read(monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    assert found(monkeypatch, mode, ROOT, OTHER) == f"{FILE} has the mode {mode:04o}; chmod 640 {FILE}"


@pytest.mark.parametrize(
    ("mode", "is_loose"), [(0o700, False), (0o750, False), (0o720, True), (0o702, True), (0o1777, False)]
)
def test_a_directory_is_loose_if_others_can_put_another_file_there(tmp_path: Path, mode: int, is_loose: bool) -> None:
    tmp_path.chmod(mode)
    finding = permissions.of_directory(tmp_path)
    assert (None if finding is None else str(finding)) == (
        f"{tmp_path} has the mode {mode:04o}; chmod 700 {tmp_path}" if is_loose else None
    )


def test_modes_say_nothing_on_windows_and_directories_are_not_synced(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    loose = status(0o666, OWNER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "name", "nt")
        patch.setattr(os, "geteuid", lambda: OTHER)
        patch.setattr(os, "fsync", lambda _: pytest.fail("a directory was synced"))
        told = [permissions.of_file(FILE, loose), permissions.of_directory(tmp_path)]
        is_loose, readers = permissions.readable_by_others(loose), permissions.readers(loose)
        store._sync_directory(tmp_path)
    assert (told, is_loose, readers) == ([None, None], False, "only its owner can read it")
