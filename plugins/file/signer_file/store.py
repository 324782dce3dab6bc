"""Reading and writing files so that none is ever lost, half written, or taken for what it is not.

A file is written under another name beside its place, synced, and put into place in one step: linked, which never
replaces, or renamed, which always does; then the directory is synced. Whenever the process or the machine stops, the
place holds the whole old file or the whole new one.

The promises about modes, links and syncing are POSIX's; on Windows the rest holds.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from signer_core.errors import BackendUnavailableError, KeyExistsError, KeyFormatError, KeyNotFoundError
from signer_file.failure import failure, unchanged

MAX_BYTES = 64 * 1024  # a key file has a few hundred bytes
_TOO_MANY_BYTES = MAX_BYTES + 1
# Not every system has every flag. What Python opens is closed in other programs that it starts.
_NONBLOCK, _NOCTTY, _NOFOLLOW, _BINARY = (
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW", "O_BINARY")
)
_TO_READ = os.O_RDONLY | _NONBLOCK | _NOCTTY | _BINARY
_TO_READ_NO_LINK = _TO_READ | _NOFOLLOW
_TO_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


def read(path: Path, *, follow: bool = False) -> tuple[bytes, os.stat_result]:
    """The content and the status of a regular file of at most ``MAX_BYTES``.

    With ``follow``, a symbolic link in its place is followed. Raises ``KeyNotFoundError``, ``KeyFormatError`` for what
    is no such file, and what :func:`signer_file.failure.failure` makes of the system's errors.
    """
    flags = _TO_READ if follow else _TO_READ_NO_LINK
    try:
        with open(path, "rb", opener=lambda path, _: os.open(path, flags)) as file:
            # What was opened is what is judged: the name may mean another file by now.
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFormatError(f"{path} is no regular file")
            content = file.read(_TOO_MANY_BYTES)
    except FileNotFoundError:
        raise KeyNotFoundError(f"there is no key at {path}", remedy="make one with: signer init") from None
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise KeyFormatError(
                f"{path} is a symbolic link, which is not followed",
                remedy="set 'path' to this very file if it is meant",
            ) from None
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise KeyFormatError(f"{path} is no regular file") from None
        raise failure(error, f"{path} cannot be read") from None
    if len(content) > MAX_BYTES:
        raise KeyFormatError(f"{path} is larger than {MAX_BYTES} bytes, so it is no key file")
    return content, status


def create(path: Path, content: bytes) -> None:
    """Put a new file of mode 0600 into place. Raises ``KeyExistsError`` if anything is there, which stays as it is."""
    with unchanged(path), _written_beside(path, content) as temporary:
        _link(temporary, path)
    _sync_directory(path)


def replace(path: Path, content: bytes) -> None:
    """Put a file of mode 0600, of the same owner, into the place of the one that is there."""
    with unchanged(path), _written_beside(path, content, like=os.stat(path)) as temporary:
        os.replace(temporary, path)
    _sync_directory(path)


def back_up(path: Path) -> Path:
    """Give the file a second name, ``NAME.bak`` or the first free one of ``NAME.bak.2`` and so on."""
    number = 1
    while True:
        backup = path.with_name(f"{path.name}.bak" if number == 1 else f"{path.name}.bak.{number}")
        with unchanged(path), contextlib.suppress(KeyExistsError):
            _link(path, backup)
            break
        number += 1
    _sync_directory(backup)
    return backup


def make_directory(directory: Path) -> None:
    """Make the directory and those above it, of mode 0700 whatever the umask; what exists stays as it is."""
    with unchanged(directory):
        missing = [each for each in (directory, *directory.parents) if not each.is_dir()]
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):  # somebody was faster; if it is a file, the next step fails
                os.mkdir(each, 0o700)
                os.chmod(each, 0o700)
    for each in missing:
        _sync_directory(each)


def leftovers(path: Path) -> list[Path]:
    """What processes left beside ``path`` that were stopped while they wrote it, or that are writing it just now.

    Empty, too, where the directory cannot be listed.
    """
    temporary = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.tmp")
    with contextlib.suppress(OSError, ValueError):
        return sorted(path.with_name(name) for name in os.listdir(path.parent) if temporary.fullmatch(name))
    return []


@contextlib.contextmanager
def _written_beside(path: Path, content: bytes, *, like: os.stat_result | None = None) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, _TO_MAKE, 0o600)
    try:
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o600)  # whatever the umask took away
            if like is not None and _owner(like) != _owner(os.fstat(descriptor)):
                os.fchown(descriptor, *_owner(like))  # root must not take the key from its service
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _link(existing: Path, new: Path) -> None:
    try:
        os.link(existing, new)
    except FileExistsError:
        raise KeyExistsError(f"{new} exists already, and stays as it is") from None
    except OSError as error:
        if error.errno in _NO_LINKS:
            raise BackendUnavailableError(
                f"{new} cannot be linked into place, and nothing was changed: {error.strerror}",
                remedy="keep keys on a filesystem that has hard links",
                retryable=False,
            ) from None
        raise


def _sync_directory(entry: Path) -> None:
    """Make it last that ``entry`` is, or is gone from, its directory."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(entry.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a filesystem that does not sync directories
            raise failure(error, f"{entry} was written, but its directory cannot be synced") from None


def _owner(status: os.stat_result) -> tuple[int, int]:
    return status.st_uid, status.st_gid
