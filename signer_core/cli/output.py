"""Where results go: to standard output, or to a file that is written whole or not at all."""

import contextlib
import os
import sys
from typing import IO, Any

import click

from signer_core.cli.failures import Failure, reason

_STDOUT = "signer_core.cli.stdout"


class Command(click.Command):
    """A subcommand to whose standard output only :func:`write` writes.

    What a plugin prints, imported, opening or signing, would else be a part of the signature: it goes to stderr.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        ctx.meta[_STDOUT] = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            return super().invoke(ctx)


def write(content: bytes | str) -> None:
    """Write ``content`` to standard output, now."""
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    context = click.get_current_context(silent=True)
    stdout = sys.stdout if context is None else context.meta.get(_STDOUT, sys.stdout)
    try:
        if stdout is None:
            raise OSError("it is closed")
        stdout.flush()
        stdout.buffer.write(content)
        stdout.buffer.flush()
    except OSError as error:
        give_up(stdout)
        raise Failure(f"the standard output cannot be written: {reason(error)}") from error
    except BaseException:  # Ctrl-C, while nobody reads
        give_up(stdout)
        raise


def give_up(stdout: IO[str] | None) -> None:
    """Drop what standard output did not take, or Python would try once more when it ends: fail, or wait, again."""
    with contextlib.suppress(OSError, AttributeError):  # it is closed, or no file
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stdout.fileno())  # type: ignore[union-attr]
        os.close(null)


class Replacement:
    """What is to be in the file ``path``: written beside it, then moved into its place, then discarded in any case.

    A reader finds the old file or the new one, never a part. What a killed process leaves is a file ``.signer-…``.
    """

    def __init__(self, path: str, content: bytes) -> None:
        self._path = path
        self._content = content
        #: Where a link leads is replaced, not the link; a device or a pipe takes the content, and stays what it is.
        self._target = None if os.path.exists(path) and not os.path.isfile(path) else os.path.realpath(path)
        self._complete = _name_beside(self._target or path)

    def write(self) -> None:
        """Have it complete on the disk."""
        if self._target is None:
            return
        try:
            _write_complete(self._complete, self._content, mode=_mode_of(self._target))
        except OSError as error:
            raise _not_written(self._path, error) from error

    def take_place(self) -> None:
        """Be what a reader finds."""
        try:
            if self._target is not None:
                os.replace(self._complete, self._target)
                return
            with open(self._path, "wb", buffering=0) as file:
                file.write(self._content)
        except OSError as error:
            raise _not_written(self._path, error) from error

    def discard(self) -> None:
        """Leave nothing beside the file."""
        with contextlib.suppress(OSError):  # it is not there; or what kept it from being written keeps it from going
            os.unlink(self._complete)


def replace_file(path: str, content: bytes) -> None:
    """Make ``content`` what is in ``path``, whole or not at all."""
    replacement = Replacement(path, content)
    try:
        replacement.write()
        replacement.take_place()
    finally:
        replacement.discard()


def create_file(path: str, content: bytes) -> bool:
    """Write a new file for nobody but its owner; False, and nothing changed, if there is one already."""
    complete = _name_beside(path)
    try:
        _write_complete(complete, content, mode=0o600)
        os.link(complete, path)
        _sync_directory(os.path.dirname(complete))
    except FileExistsError:
        return False
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(complete)
    return True


def _name_beside(path: str) -> str:
    """The path of a new file in the directory of ``path``, to be moved from there."""
    return os.path.join(os.path.dirname(os.path.abspath(path)), f".signer-{os.urandom(8).hex()}")


def _write_complete(path: str, content: bytes, *, mode: int | None) -> None:
    """Write a new file, and sync it.

    It has that very ``mode``, whatever the umask; with None, the one that the umask leaves to new files.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o666 if mode is None else 0o600), "wb") as file:
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _mode_of(path: str) -> int | None:
    """The mode of the file that is there; None if there is none."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        return None


def _sync_directory(path: str) -> None:
    """Make a new name in the directory last; a POSIX promise, Windows cannot."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _not_written(path: str, error: OSError) -> Failure:
    return Failure(f"{path} cannot be written: {reason(error)}")
