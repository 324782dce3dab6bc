"""The agent's socket: where nobody but its user reaches it, and where no other agent serves."""

import contextlib
import errno
import fcntl
import os
import secrets
import socket
import stat
from collections.abc import Iterator

from signer_core.cli.failures import Failure, reason


@contextlib.contextmanager
def listening_at(path: str) -> Iterator[socket.socket]:
    """A socket of mode 0600 that listens at ``path``, in a directory of mode 0700; gone in the end.

    The directory is made if it is missing. A socket that an agent left behind is replaced. It appears when it listens,
    not before, so who waits for it may connect at once. Raises :class:`~signer_core.cli.failures.Failure`.
    """
    path = os.path.abspath(path)
    with contextlib.ExitStack() as open_:
        directory = open_.enter_context(_directory(os.path.dirname(path)))
        listening = open_.enter_context(socket.socket(socket.AF_UNIX))
        with _alone(directory):
            _check_free(path)
            _listen(listening, path)
            ours = os.lstat(path)
        try:
            yield listening
        finally:
            with _alone(directory), contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.lstat(path), ours):
                    os.unlink(path)


@contextlib.contextmanager
def _directory(path: str) -> Iterator[int]:
    """A descriptor of the directory, which nobody but this user can enter."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Failure(f"the socket cannot be in {path}: {reason(error)}") from error
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise Failure(
                f"the socket cannot be in {path}, a directory that others own or may enter",
                remedy="take a new one, which is made, or one of mode 0700, such as $XDG_RUNTIME_DIR",
            )
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _alone(directory: int) -> Iterator[None]:
    """Two agents that start at once do not take each other's socket for one that was left behind."""
    fcntl.flock(directory, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(directory, fcntl.LOCK_UN)


def _check_free(path: str) -> None:
    """Refuse a path that no client could connect to, and one where an agent serves, or something else is."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            outcome = client.connect_ex(path)
        except OSError as error:  # the call itself has no place for so long a path
            raise Failure(f"no client could connect to {path}: {error}", remedy="give a shorter --socket") from error
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise Failure(f"{path} is there already, and is no socket", remedy="give another --socket")
    if outcome != errno.ECONNREFUSED:
        raise Failure(f"an agent serves at {path} already", remedy="end it, or give another --socket")


def _listen(listening: socket.socket, path: str) -> None:
    beside = os.path.join(os.path.dirname(path), f".{secrets.token_hex(4)}")
    try:
        listening.bind(beside)
        try:
            os.chmod(beside, 0o600)
            listening.listen()
            os.rename(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Failure(f"{path} cannot be made: {reason(error)}") from error
