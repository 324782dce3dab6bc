"""Keeping other writers out of a directory of keys."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from signer_core.deadline import Deadline
from signer_core.errors import BackendUnavailableError, DeadlineExceededError
from signer_file.failure import failure, unchanged

if sys.platform != "win32":
    import fcntl

_PATIENCE_SECONDS = 30.0  # a writer holds the lock for some milliseconds
_POLL_SECONDS = 0.02
# What a filesystem without locks of directories says. EBADF: one that makes a lock of a range of bytes of it, as NFS
# does, wants a descriptor for writing, which no directory has.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EBADF}


@contextlib.contextmanager
def locked(directory: Path, deadline: Deadline) -> Iterator[None]:
    """Keep other writers of key files out of the directory, so that none of them undoes what it has not seen.

    The lock is advisory and ends with the process. Where the filesystem has none, linking still never replaces a key.
    """
    if sys.platform == "win32":
        yield
        return
    with unchanged(directory):
        descriptor = os.open(directory, os.O_RDONLY)
    try:
        _lock(descriptor, directory, deadline)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path, deadline: Deadline) -> None:
    patience = deadline.within(_PATIENCE_SECONDS)
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                patience.sleep(_POLL_SECONDS)
            except DeadlineExceededError:
                deadline.check()
                raise BackendUnavailableError(
                    f"another process keeps {directory} locked; nothing was changed"
                ) from None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise failure(error, f"{directory} cannot be locked, and nothing was changed") from None
