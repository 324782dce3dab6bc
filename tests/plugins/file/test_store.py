"""Files that are read with care and written so that none is lost."""

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Deadline, create_signer, init_signer
from signer_core.errors import (
    AccessDeniedError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    KeyExistsError,
    KeyFormatError,
    KeyNotFoundError,
    SignCancelledError,
)
from signer_file import lock, permissions, store

from .keys import ASCII, names_in, options, write_private

pytestmark = pytest.mark.usefixtures("quick_passphrases", "unmeasured_processes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids="umask {:03o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    init_signer(options(tmp_path / "a" / "b")).close()
    modes = [mode(tmp_path / each) for each in ("a", "a/b", "a/b/signer.json")]
    assert modes == [0o700, 0o700, 0o600]


def test_nobody_else_has_a_right_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask: what is made has its mode from the first, and not only when it is set."""
    chmod, fchmod, at_first = os.chmod, os.fchmod, list[int]()

    def noting(path: Path, mode: int) -> None:
        at_first.append(stat.S_IMODE(os.stat(path).st_mode))
        chmod(path, mode)

    def noting_file(descriptor: int, mode: int) -> None:
        at_first.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fchmod(descriptor, mode)

    monkeypatch.setattr(os, "chmod", noting)
    monkeypatch.setattr(os, "fchmod", noting_file)
    before = os.umask(0)
    try:
        store.make_directory(tmp_path / "keys")
        store.create(tmp_path / "keys" / "key", b"content")
    finally:
        os.umask(before)
    assert at_first == [0o700, 0o600]


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    init_signer(options(tmp_path)).close()
    assert mode(tmp_path) == 0o750


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    with init_signer(options(tmp_path)) as first:
        before = (tmp_path / "signer.json").read_bytes()
        assert init_signer(options(tmp_path)).public_key == first.public_key
    assert (tmp_path / "signer.json").read_bytes() == before
    assert names_in(tmp_path) == ["signer.json"]


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_loose_mode_is_one_warning(loose: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = ASCII.copy_to(tmp_path)
    path.chmod(loose)
    assert create_signer(options(path, ASCII.passphrase)).address.hex() == ASCII.address
    assert caplog.messages == [f"{path} has the mode {loose:04o}; chmod 600 {path}"]


@pytest.mark.parametrize("tight", [0o600, 0o400])
def test_a_tight_mode_is_no_warning(tight: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = ASCII.copy_to(tmp_path)
    path.chmod(tight)
    create_signer(options(path, ASCII.passphrase)).close()
    assert caplog.messages == []


def test_a_directory_that_others_may_write_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ASCII.copy_to(tmp_path)
    tmp_path.chmod(0o770)
    create_signer(options(tmp_path, ASCII.passphrase)).close()
    assert caplog.messages == [f"{tmp_path} has the mode 0770; chmod 700 {tmp_path}"]


def test_a_directory_that_vanishes_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be examined: No such file or directory"):
        permissions.of_directory(tmp_path / "keys")


def test_a_link_that_the_user_named_is_followed(tmp_path: Path) -> None:
    real = ASCII.copy_to(tmp_path)
    link = tmp_path / "link.json"
    link.symlink_to(real)
    with create_signer(options(link, ASCII.passphrase)) as signer:
        assert (signer.address.hex(), signer.key_id) == (ASCII.address, str(link))


def test_a_link_in_a_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "signer.json"
    link.symlink_to(ASCII.copy_to(tmp_path / "real"))
    with pytest.raises(KeyFormatError, match="is a symbolic link, which is not followed; set 'path' to this very file"):
        create_signer(options(tmp_path, ASCII.passphrase))
    assert create_signer(options(link, ASCII.passphrase)).address.hex() == ASCII.address


def test_a_link_to_a_directory_of_keys_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    ASCII.copy_to(tmp_path / "real")
    (tmp_path / "keys").symlink_to("real")
    assert create_signer(options(tmp_path / "keys", ASCII.passphrase)).address.hex() == ASCII.address


def test_init_through_a_dangling_link_that_the_user_named_writes_where_it_leads(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to("real/key.json")
    init_signer(options(link)).close()
    assert link.is_symlink()
    assert names_in(tmp_path / "real") == ["key.json"]


def test_init_does_not_write_through_a_dangling_link_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "signer.json").symlink_to("elsewhere.json")
    with pytest.raises(KeyFormatError, match="is a symbolic link"):
        init_signer(options(tmp_path))
    assert names_in(tmp_path) == ["signer.json"]


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "signer.json")
    with pytest.raises(KeyFormatError, match="is no regular file"):
        create_signer(options(tmp_path))


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("signer.json")
        with pytest.raises(KeyFormatError, match="is no regular file"):
            create_signer(options(tmp_path))


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused(device: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").symlink_to(device)
    with pytest.raises((KeyFormatError, BackendUnavailableError), match=r"is no regular file|No such device"):
        create_signer(options(tmp_path / "key.json"))


def test_a_file_above_64_kib_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "signer.json", ASCII.content + b" " * 65536)
    with pytest.raises(KeyFormatError, match="larger than 65536 bytes"):
        create_signer(options(tmp_path, ASCII.passphrase))


def test_of_a_file_that_no_memory_could_hold_only_the_beginning_is_read(tmp_path: Path) -> None:
    os.truncate(write_private(tmp_path / "signer.json", b"{"), 2**43)  # without a block on the disk
    with pytest.raises(KeyFormatError, match="larger than 65536 bytes"):
        create_signer(options(tmp_path))


def test_a_file_of_64_kib_is_read(tmp_path: Path) -> None:
    write_private(tmp_path / "signer.json", ASCII.content.ljust(65536))
    assert create_signer(options(tmp_path, ASCII.passphrase)).address.hex() == ASCII.address


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def as_nobody(directory: Path, statement: str) -> str:
    """What ``statement`` raises, done by a user without rights: root may read everything."""
    script = f"""
        import os, sys
        from pathlib import Path
        from signer_core import Deadline, Secret
        from signer_file import signer_init, signer_open
        from signer_file.config import FileConfig

        # The hooks themselves: to find the plugin, one has to read where it is installed.
        def done(hook, path):
            hook(FileConfig(path=Path(path), passphrase=Secret(b"passphrase")), Deadline.after(None))

        path = sys.argv[1]
        done(signer_init, path)
        done(signer_open, path)  # so that all is imported while it may be read
        os.chmod(path + "/signer.json", 0o000)
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            {statement}
        except Exception as error:
            print(type(error).__name__, error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_an_unreadable_file_is_told(open_directory: Path) -> None:
    printed = as_nobody(open_directory, "done(signer_open, path)")
    assert printed.startswith(
        f"AccessDeniedError {open_directory}/signer.json cannot be read: Permission denied; check"
    )


def test_an_unreadable_directory_is_told(open_directory: Path) -> None:
    (open_directory / "closed").mkdir(mode=0o000)
    printed = as_nobody(open_directory, "done(signer_open, path + '/closed')")
    assert printed.startswith("AccessDeniedError there can be no key at")


def test_a_directory_that_cannot_be_written_is_told(open_directory: Path) -> None:
    (open_directory / "closed").mkdir(mode=0o555)
    printed = as_nobody(open_directory, "done(signer_init, path + '/closed')")
    assert printed.startswith("AccessDeniedError")
    assert "cannot be written, and nothing was changed: Permission denied" in printed


def test_a_directory_that_cannot_be_made_is_told(open_directory: Path) -> None:
    (open_directory / "closed").mkdir(mode=0o555)
    printed = as_nobody(open_directory, "done(signer_init, path + '/closed/keys')")
    assert "cannot be written, and nothing was changed: Permission denied" in printed


def init_in_a_process(path: Path, **more: str) -> "subprocess.Popen[str]":
    script = """
        import sys
        from signer_core import Secret, init_signer

        config = {"backend": "file", "path": sys.argv[1], "passphrase": Secret(b"passphrase")}
        if len(sys.argv) > 2:
            config["format"] = sys.argv[2]
        print("ready", flush=True)
        sys.stdin.readline()
        print(init_signer(config).address.hex())
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path), *more.values()]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def addresses_of(processes: "list[subprocess.Popen[str]]") -> set[str]:
    """Start all at once; what they report."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    reported = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * len(processes)
    return reported


def test_processes_that_init_the_same_path_at_once_end_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "a" / "keys"
    (address,) = addresses_of([init_in_a_process(path) for _ in range(4)])
    with create_signer(options(path, b"passphrase")) as signer:
        assert signer.address.hex() == address.strip()
    assert names_in(path) == ["signer.json"]


@pytest.mark.slow
def test_processes_that_init_two_formats_at_once_end_with_one_key(tmp_path: Path) -> None:
    formats = ["evnode", "pkcs8", "evnode", "pkcs8"]
    (address,) = addresses_of([init_in_a_process(tmp_path, format=each) for each in formats])
    with create_signer(options(tmp_path, b"passphrase")) as signer:
        assert signer.address.hex() == address.strip()
    assert len(names_in(tmp_path)) == 1


def test_init_opens_the_key_of_one_that_did_not_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def slow_link(source: Path, destination: Path) -> None:
        ASCII.copy_to(tmp_path)
        link(source, destination)

    monkeypatch.setattr(os, "link", slow_link)
    assert init_signer(options(tmp_path, ASCII.passphrase)).address.hex() == ASCII.address
    assert names_in(tmp_path) == ["signer.json"]


@pytest.mark.parametrize(
    ("mode", "more", "problem"),
    [(0o600, {}, "is not encrypted"), (0o644, {"allow_unencrypted": True}, "not only its owner can read it")],
)
def test_init_refuses_what_create_refuses_whoever_made_it_meanwhile(
    mode: int, more: dict[str, Any], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_directory = store.make_directory
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    unencrypted = Ed25519PrivateKey.generate().private_bytes(*form)

    def make_directory_and_key(directory: Path) -> None:
        make_directory(directory)
        write_private(directory / "key.pem", unencrypted).chmod(mode)

    monkeypatch.setattr(store, "make_directory", make_directory_and_key)
    with pytest.raises(ConfigError, match=problem):
        init_signer(options(tmp_path / "key.pem", **more))


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key", b"old")
    with pytest.raises(KeyExistsError, match="exists already, and stays as it is"):
        store.create(path, b"new")
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["key"]


def test_a_new_content_takes_the_old_one_s_place(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key", b"old")
    store.replace(path, b"new")
    assert (path.read_bytes(), mode(path), names_in(tmp_path)) == (b"new", 0o600, ["key"])


def test_root_does_not_take_a_file_from_its_owner(tmp_path: Path) -> None:
    path = write_private(tmp_path / "key", b"old")
    owner = (1234, 5678) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    store.replace(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_backups_never_replace_each_other(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    for content in (b"1", b"2", b"3"):
        path.unlink(missing_ok=True)
        store.back_up(write_private(path, content))
    assert {each: (tmp_path / each).read_bytes() for each in names_in(tmp_path)} == {
        "key.json": b"3",
        "key.json.bak": b"1",
        "key.json.bak.2": b"2",
        "key.json.bak.3": b"3",
    }


def test_a_filesystem_without_links_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, destination: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    told = r"nothing was changed.* keep keys on a filesystem that has hard"
    with pytest.raises(BackendUnavailableError, match=told) as caught:
        init_signer(options(tmp_path))
    assert caught.value.retryable is False
    assert names_in(tmp_path) == []


def test_a_directory_that_cannot_be_synced_on_its_filesystem_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def no_directories(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", no_directories)
    init_signer(options(tmp_path / "keys")).close()
    assert names_in(tmp_path / "keys") == ["signer.json"]


def test_a_directory_that_cannot_be_synced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def broken(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    path = write_private(tmp_path / "key", b"old")
    monkeypatch.setattr(os, "fsync", broken)
    told = f"^{path} was written, but its directory cannot be synced: Input/output error"
    with pytest.raises(BackendUnavailableError, match=told):
        store.replace(path, b"new")
    assert path.read_bytes() == b"new"


def test_every_new_directory_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, synced = os.fsync, []

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}").partition("/.signer")[0])

    monkeypatch.setattr(os, "fsync", noting)
    init_signer(options(tmp_path / "a" / "b")).close()
    assert set(synced) == {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b")}
    assert synced[-1] == str(tmp_path / "a" / "b")


def test_a_writer_waits_for_the_one_before_it(tmp_path: Path) -> None:
    entered, order = threading.Event(), []

    def second() -> None:
        entered.set()
        with lock.locked(tmp_path, Deadline.after(None)):
            order.append("second")

    thread = threading.Thread(target=second)
    with lock.locked(tmp_path, Deadline.after(None)):
        thread.start()
        entered.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_waiting_for_a_lock_ends_with_the_deadline(tmp_path: Path) -> None:
    with lock.locked(tmp_path, Deadline.after(None)), pytest.raises(DeadlineExceededError):
        init_signer(options(tmp_path), timeout=0.5)
    assert names_in(tmp_path) == []


def test_waiting_for_a_lock_can_be_called_off(tmp_path: Path) -> None:
    cancel = threading.Event()
    deadline = Deadline.after(None, cancel=cancel)
    with lock.locked(tmp_path, Deadline.after(None)):
        cancel.set()
        with pytest.raises(SignCancelledError), lock.locked(tmp_path, deadline):
            pass


def test_a_lock_that_is_never_given_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PATIENCE_SECONDS", 0.05)
    with (
        lock.locked(tmp_path, Deadline.after(None)),
        pytest.raises(BackendUnavailableError, match=r"another process keeps .* locked; nothing was changed"),
    ):
        init_signer(options(tmp_path))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EBADF])
def test_a_filesystem_without_locks_is_no_error(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", no_locks)
    init_signer(options(tmp_path)).close()
    assert names_in(tmp_path) == ["signer.json"]


def test_a_lock_that_fails_otherwise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("fcntl.flock", broken)
    with pytest.raises(BackendUnavailableError, match="cannot be locked, and nothing was changed: Input/output error"):
        init_signer(options(tmp_path))
    assert names_in(tmp_path) == []


def test_a_file_that_the_system_does_not_let_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    path = write_private(tmp_path / "signer.json", b"{}")
    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(AccessDeniedError, match=f"^{path} cannot be read: Permission denied"):
        store.read(path)


def test_a_file_that_cannot_be_read_though_it_was_opened_is_told() -> None:
    with pytest.raises(BackendUnavailableError, match=r"^/proc/self/mem cannot be read: Input/output error"):
        store.read(Path("/proc/self/mem"))


def test_a_file_that_vanishes_before_it_is_read_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "signer.json"
    with pytest.raises(KeyNotFoundError, match=f"^there is no key at {path}; make one with: signer init"):
        store.read(path)


@pytest.mark.parametrize(
    ("step", "write", "name"),
    [
        ("link", lambda path: store.create(path.with_name("new"), b"new"), "new"),
        ("mkdir", lambda path: store.make_directory(path.with_name("new")), "new"),
        ("link", store.back_up, "key"),
        ("replace", lambda path: store.replace(path, b"new"), "key"),
    ],
)
def test_a_step_that_the_system_refuses_names_the_file(
    step: str, write: Callable[[Path], None], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_private(tmp_path / "key", b"old")

    def refused(*_: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, step, refused)
    told = f"^{tmp_path / name} cannot be written, and nothing was changed: Permission denied"
    with pytest.raises(AccessDeniedError, match=told):
        write(path)
    assert (path.read_bytes(), names_in(tmp_path)) == (b"old", ["key"])


@pytest.mark.parametrize("path", ["missing/signer.json", "a\0b/signer.json"])
def test_nothing_is_known_to_be_left_in_a_directory_that_cannot_be_listed(path: str, tmp_path: Path) -> None:
    assert store.leftovers(tmp_path / path) == []
