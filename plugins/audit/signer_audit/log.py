"""A log as one process appends to it: which file it is in now, and what the next line is tied to."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from signer_audit.entry import GENESIS, Links, NotAnEntryError, digest, line
from signer_audit.failure import failure
from signer_audit.log_file import LogFile
from signer_audit.tail import Tail, find_tail
from signer_core.errors import ConfigError, ExtensionError, SignerError

_logger = logging.getLogger("signer_audit")


class Log:
    """An audit log. Other processes may append to it as well; in this one, one thread at a time.

    Raises :class:`~signer_core.errors.SignerError` where the file is no log, or cannot be locked, read or written.
    """

    def __init__(self, path: Path, *, lock_timeout: float | None) -> None:
        self._path = path
        self._lock_timeout = lock_timeout
        #: The file, and its size and end as they were when it was last locked.
        self._file: LogFile | None = None
        self._size = 0
        self._tail: Tail | None = None
        #: The hash of the last line that this process knows of; of an earlier file, if the one in place has none.
        self.head = GENESIS
        try:
            self._with_file(self._look)
        except BaseException:
            self.close()
            raise

    def append(self, records: Sequence[bytes]) -> None:
        """Put a line for each of the ``records`` on the disk; all of them, or none."""
        self._with_file(lambda file: self._append(file, records))

    def close(self) -> None:
        """Close the file; the next line would open it again."""
        file, self._file, self._tail = self._file, None, None
        if file is not None:
            file.close()

    def _with_file(self, use: Callable[[LogFile], object]) -> None:
        """Call ``use`` with the file that the path means now, locked."""
        try:
            while not self._used(use):
                self.close()
        except SignerError:  # some are OSErrors, too
            raise
        except BaseException as error:
            self.close()  # it is opened anew; where an interrupt came before it was unlocked, closing does that
            if isinstance(error, OSError):
                raise failure(error, f"the audit log {self._path} cannot be written") from None
            raise

    def _used(self, use: Callable[[LogFile], object]) -> bool:
        """Whether the open file, or the one that is opened for it, was in its place, and so was used."""
        file = self._file = self._file or LogFile(self._path)
        try:
            file.lock(self._lock_timeout)
            if file.is_in_place:
                use(file)
                return True
            with contextlib.suppress(SignerError):  # whatever became of it, the new file is a good one
                self._look(file)  # nobody appends to it any more: whoever locks it sees that it was moved
        finally:
            file.unlock()
        _logger.warning("%s was moved or deleted; its last line was %s", self._path, self.head)
        return False

    def _append(self, file: LogFile, records: Sequence[bytes]) -> None:
        tail = self._look(file)
        links, lines = tail.links, [tail.ending]
        if tail.head == GENESIS != self.head:
            links = Links(previous=GENESIS, torn=tail.torn, continues=self.head)
        for each in records:
            lines.append(line(each, links))
            links = Links(previous=digest(lines[-1]))
        content = b"".join(lines)
        self._tail = None  # unless all goes well, it is read anew
        file.append(content)
        self.head = links.previous
        self._size += len(content)
        self._tail = Tail(head=links.previous)

    def _look(self, file: LogFile) -> Tail:
        """The end of the file, which is read only if another process may have appended to it."""
        size = file.size
        if self._tail is not None and size < self._size:
            raise ExtensionError(
                f"the audit log {self._path} was cut: it has {size} bytes, and had {self._size}",
                remedy="move away what is left of it, and a new log is begun that continues it",
            )
        if self._tail is None or size != self._size:
            try:
                self._size, self._tail = size, find_tail(size, file.read_end)
            except NotAnEntryError as error:
                raise ConfigError(
                    f"the audit log {self._path} cannot be continued: its last line {error}",
                    remedy="if it is a log, see `signer audit verify`; move it away, or set 'path' to another file",
                ) from None
            if self._tail.head != GENESIS:
                self.head = self._tail.head
        return self._tail
