"""One file of a log: opened, locked, read at its end, and appended to so that the bytes are on the disk.

The promises about modes, links, locks and the syncing of directories are POSIX's; on Windows the rest holds.
"""

import contextlib
import os
import stat
import sys
from pathlib import Path

from signer_audit.failure import failure
from signer_core.deadline import Deadline
from signer_core.errors import ConfigError, DeadlineExceededError, ExtensionError

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS = 0.0005


class LogFile:
    """A regular file that is open for appending; made, for nobody but its owner, if it was missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = _open(path)
        except OSError as error:
            raise failure(error, f"the audit log {path} cannot be opened") from None
        try:
            status = os.fstat(self._descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"the audit log {path} is no regular file", remedy="set 'path' to another file")
            if status.st_size == 0:
                _sync_directory(path.parent)  # whoever made it may not have come to that
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Its size in bytes, now."""
        return os.fstat(self._descriptor).st_size

    @property
    def is_in_place(self) -> bool:
        """Whether the path still means this file: it was neither moved, nor deleted, nor replaced."""
        try:
            return os.path.samestat(os.lstat(self._path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def lock(self, seconds: float | None) -> None:
        """Keep other writers out, in this process and in others; wait for at most ``seconds``."""
        if sys.platform == "win32":
            return
        patience = Deadline.after(seconds)
        while not self._lock():
            try:
                patience.sleep(_POLL_SECONDS)
            except DeadlineExceededError:
                raise ExtensionError(
                    f"another process has kept the audit log {self._path} locked for {seconds} seconds",
                    remedy="see which process it is, and whether it hangs",
                ) from None

    def unlock(self) -> None:
        """Let other writers in, if they were kept out."""
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def read_end(self, length: int) -> bytes:
        """The last ``length`` bytes."""
        os.lseek(self._descriptor, -length, os.SEEK_END)
        content = b""
        while len(content) < length and (piece := os.read(self._descriptor, length - len(content))):
            content += piece
        return content

    def append(self, content: bytes) -> None:
        """Put ``content`` at the end, on the disk. What was written is taken back if that fails."""
        size, left = self.size, memoryview(content)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except BaseException:
            self._cut(size, written=len(content) - len(left))
            raise

    def close(self) -> None:
        """Close it. What another process does with it goes on."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def _cut(self, size: int, *, written: int) -> None:
        """Take back what was written after ``size``, if nobody has appended to it.

        After a failed fsync, too: the system may have given up what it could not write, and forgotten that it did. What
        is written anew in its place is not forgotten.
        """
        with contextlib.suppress(OSError):
            if self.size == size + written:
                os.ftruncate(self._descriptor, size)
                os.fsync(self._descriptor)

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # somebody was faster
        return os.open(path, flags)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
    return descriptor


def _sync_directory(directory: Path) -> None:
    """Make the new name in the directory last; a POSIX promise, Windows cannot."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
