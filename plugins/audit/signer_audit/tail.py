"""The end of a log: what the next line is tied to."""

from collections.abc import Callable

import attrs

from signer_audit.entry import GENESIS, MAX_BYTES, TORN, Links, NotAnEntryError, digest, may_begin, parse

#: The longest line that is not whole, before it is marked: how far from the end of a log its last entry is looked for.
LONGEST_TORN = 1024 * 1024
_USUAL = 4 * 1024


@attrs.frozen(kw_only=True)
class Tail:
    """The end of a log."""

    #: The hash of its last entry; ``GENESIS`` if it has none.
    head: str
    #: The hash of the torn lines after that, once ``ending`` has ended the last one; None if there are none.
    torn: str | None = None
    #: What must be written before the next line.
    ending: bytes = b""

    @property
    def links(self) -> Links:
        """The links of the next line."""
        return Links(previous=self.head, torn=self.torn)


def find_tail(size: int, read_end: Callable[[int], bytes]) -> Tail:
    """The end of a log of ``size`` bytes, the last n of which ``read_end(n)`` gives.

    Raises :class:`NotAnEntryError` for a file that is no log, or whose last line was changed.
    """
    tail = None
    for length in (_USUAL, MAX_BYTES + LONGEST_TORN):
        tail = tail or _tail(read_end(min(length, size)), is_whole=length >= size)
    if tail is None:
        raise NotAnEntryError("is longer than any line of an audit log")
    return tail


def _tail(content: bytes, *, is_whole: bool) -> Tail | None:
    """The tail that ``content`` ends with; None if more of the file is needed, of which this is not the whole."""
    begin = len(content)
    while begin:
        end, begin = begin, content.rfind(b"\n", 0, begin - 1) + 1
        if begin == 0 and not is_whole:
            return None
        last = content[begin:end]
        if last.endswith(b"\n") and not last.endswith(TORN):
            _, head = parse(last)
            return _after(head, content[end:])
    if content and not may_begin(content):
        raise NotAnEntryError("is no entry of an audit log")
    return _after(GENESIS, content)


def _after(head: str, torn: bytes) -> Tail:
    if not torn:
        return Tail(head=head)
    if len(torn) - torn.rfind(b"\n") - 1 > LONGEST_TORN:
        raise NotAnEntryError("is longer than any line of an audit log")
    ending = b"" if torn.endswith(b"\n") else TORN
    return Tail(head=head, torn=digest(torn + ending), ending=ending)
