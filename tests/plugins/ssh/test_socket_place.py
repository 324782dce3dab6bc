"""Where the agent's socket is."""

import contextlib
import errno
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from signer_core.cli.failures import Failure
from signer_ssh.socket_place import listening_at
from tests.keys import PATIENCE


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory of mode 0700."""
    made = tmp_path / "run"
    made.mkdir(mode=0o700)
    return made


def left_behind(path: Path) -> None:
    """A socket at which nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o177])
def test_it_is_for_its_user_alone_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent"
    before = os.umask(umask)
    try:
        if umask == 0o177:  # a directory that is made so could not be entered by anyone but root
            path.parent.mkdir()
            path.parent.chmod(0o700)
        with listening_at(str(path)):
            assert (mode(path.parent), mode(path)) == (0o700, 0o600)
            assert list(path.parent.iterdir()) == [path]
    finally:
        os.umask(before)
    assert list(path.parent.iterdir()) == []


def test_who_finds_it_may_connect_at_once(place: Path) -> None:
    path = place / "agent"
    connected = threading.Event()

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            while True:
                with contextlib.suppress(FileNotFoundError):
                    client.connect(str(path))  # a ConnectionRefusedError would fail the test
                    connected.set()
                    return

    waiting = threading.Thread(target=connect)
    waiting.start()
    with listening_at(str(path)):
        waiting.join()
    assert connected.is_set()


def test_a_relative_path_starts_at_the_working_directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    with listening_at("agent"):
        monkeypatch.chdir("/")
        assert (place / "agent").is_socket()
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("loose", [0o750, 0o705, 0o777, 0o1777, 0o710])
def test_a_directory_that_others_may_enter_is_refused(loose: int, place: Path) -> None:
    place.chmod(loose)
    with pytest.raises(Failure, match="others own or may enter") as failed, listening_at(str(place / "agent")):
        pass
    assert failed.value.remedy is not None
    assert "0700" in failed.value.remedy
    assert list(place.iterdir()) == []


def test_a_directory_of_another_user_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(Failure, match="others own or may enter"), listening_at(str(place / "agent")):
        pass


def test_what_is_no_directory_is_refused(place: Path) -> None:
    (place / "file").touch()
    for path in (place / "file" / "agent", place / "missing" / "missing" / "agent"):
        with pytest.raises(Failure, match="the socket cannot be in"), listening_at(str(path)):
            pass


@pytest.mark.parametrize("name", ["x" * 120 + "/agent", "x" * 120])
def test_a_path_that_no_client_could_connect_to_is_refused(name: str, place: Path) -> None:
    with pytest.raises(Failure, match="no client could connect") as failed, listening_at(str(place / name)):
        pass
    assert failed.value.remedy == "give a shorter --socket"
    assert [each for each in place.rglob("*") if not each.is_dir()] == []


def test_a_socket_that_cannot_be_made_is_an_error(place: Path) -> None:
    """The path has room for this name, but not for the one that is longer until it listens."""
    name = "x" * (104 - len(str(place)))
    path = place / name / "a"
    with pytest.raises(Failure, match="cannot be made"), listening_at(str(path)):
        pass


def test_one_that_cannot_be_put_in_its_place_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.rename", full)
    with pytest.raises(Failure, match="cannot be made: No space left"), listening_at(str(place / "agent")):
        pass
    assert list(place.iterdir()) == []


def test_a_socket_that_was_left_behind_is_replaced(place: Path) -> None:
    left_behind(place / "agent")
    with listening_at(str(place / "agent")), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place / "agent"))


def test_a_socket_that_is_in_use_is_not(place: Path) -> None:
    path = str(place / "agent")
    with listening_at(path):
        with pytest.raises(Failure, match=r"an agent serves at .* already"), listening_at(path):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_a_socket_whose_queue_is_full_is_in_use(place: Path) -> None:
    path = str(place / "agent")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind(path)
        listening.listen(0)
        client.connect(path)
        with pytest.raises(Failure, match=r"an agent serves at .* already"), listening_at(path):
            pass


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_stays(kind: str, place: Path) -> None:
    path = place / "agent"
    match kind:
        case "file":
            path.write_text("precious")
        case "directory":
            path.mkdir()
        case _:
            left_behind(place / "target")
            path.symlink_to(place / "target")
    before = path.lstat()
    with pytest.raises(Failure, match="is there already, and is no socket"), listening_at(str(path)):
        pass
    assert os.path.samestat(path.lstat(), before)


def test_the_socket_of_another_agent_is_not_removed_in_the_end(place: Path) -> None:
    path = place / "agent"
    with listening_at(str(path)):
        path.unlink()
        left_behind(path)
    assert path.is_socket()


def test_of_agents_that_start_at_once_one_serves(place: Path) -> None:
    left_behind(place / "agent")
    starting, refused, end = threading.Barrier(8), threading.Semaphore(0), threading.Event()

    def start() -> None:
        starting.wait()
        try:
            with listening_at(str(place / "agent")):
                end.wait()
        except Failure:
            refused.release()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for each in threads:
        each.start()
    try:
        assert all(refused.acquire(timeout=PATIENCE) for _ in range(7))
        assert not refused.acquire(blocking=False)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place / "agent"))
    finally:
        end.set()
        for each in threads:
            each.join()
