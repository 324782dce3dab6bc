"""Verifying a log: read once, from its first line to its last, in memory that does not grow with it."""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from typing import IO

import attrs

from signer_audit.entry import GENESIS, TORN, Links, NotAnEntryError, may_begin, parse
from signer_audit.tail import LONGEST_TORN
from signer_core.cli.failures import reason
from signer_core.cli.input import STDIN, named, standard_input
from signer_core.errors import ConfigError

_LONGEST = LONGEST_TORN + len(TORN)


@attrs.define(kw_only=True)
class Report:
    """What was found in a log, as far as it was read: to its end, or to the first line that is wrong."""

    #: The hash of an entry that must be in it.
    wanted: str | None = None
    #: What is wrong, with file and line; None for an intact log.
    problem: str | None = None
    #: The number of entries.
    lines: int = 0
    #: The hash of the last one; ``GENESIS`` if there is none.
    head: str = GENESIS
    #: The number of lines that were not written to their end, and where the last of them is.
    torn: int = 0
    last_torn: str | None = None
    #: What the first entry says of a file before the first one.
    continues: str | None = None
    #: How many entries there were up to the one that was wanted; None if it was not found.
    lines_to_wanted: int | None = None

    @property
    def lines_after_wanted(self) -> int | None:
        """How many entries follow the one that was wanted; None if it was not found."""
        return None if self.lines_to_wanted is None else self.lines - self.lines_to_wanted


def verify(paths: Iterable[str | os.PathLike[str]], *, wanted: str | None = None) -> Report:
    """Read the files of one log, the oldest first, and look for the entry whose hash is ``wanted``.

    A file named "-" is the standard input.
    Raises :class:`~signer_core.errors.ConfigError` for a file that cannot be read.
    """
    report = Report(wanted=wanted, lines_to_wanted=0 if wanted == GENESIS else None)
    for path in [os.fspath(each) for each in paths]:
        name = named(path)
        try:
            with contextlib.nullcontext(standard_input()) if path == STDIN else open(path, "rb") as file:
                report.problem = _read(file, name, report)
        except OSError as error:
            what = f"{name} cannot be read: {reason(error)}"
            raise ConfigError(what, remedy="check the path and the permissions") from None
        if report.problem is not None:
            return report
    if wanted is not None and report.lines_to_wanted is None:
        report.problem = f"no line has the hash {wanted}: the end was cut off, or the log was written anew"
    return report


def _read(file: IO[bytes], path: str, report: Report) -> str | None:
    """Read one file into the report; what is wrong with it, or None."""
    expected = Links(previous=GENESIS, continues=report.head if report.lines else None)
    torn, number = None, 0
    while line := file.readline(_LONGEST + 1):
        number += 1
        where = f"{path}, line {number}"
        if len(line) > _LONGEST:
            return f"{where}, is longer than any line of an audit log"
        if line.endswith(TORN) or not line.endswith(b"\n"):
            if number == 1 and not may_begin(line):
                return f"{where}, does not begin as an audit log does"
            torn = torn or hashlib.sha256()
            torn.update(line)
            report.torn, report.last_torn = report.torn + 1, where
            continue
        try:
            links, hash_of_line = parse(line)
        except NotAnEntryError as error:
            return f"{where}, {error}"
        if not report.lines:
            report.continues = links.continues
            expected = attrs.evolve(expected, continues=links.continues)
        if torn is not None:
            expected = attrs.evolve(expected, torn=torn.hexdigest())
            torn = None
        if links != expected:
            return f"{where}, {_fault(links, expected, is_repeated=hash_of_line == expected.previous)}"
        expected = Links(previous=hash_of_line)
        report.lines, report.head = report.lines + 1, hash_of_line
        if hash_of_line == report.wanted:
            report.lines_to_wanted = report.lines
    return None


def _fault(links: Links, expected: Links, *, is_repeated: bool) -> str:
    """What is wrong with a line that has other ``links`` than those that were expected in its place."""
    if is_repeated:
        return "repeats the line before it"
    if links.previous == expected.previous and links.torn == expected.torn:
        if links.continues is None:
            return "begins a log of its own, which is verified by itself"
        return "does not continue the file before it: one is missing, was cut off, or is in the wrong place"
    if links.previous == expected.previous:
        return "does not follow what is before it: torn lines were changed, added or removed there"
    if expected.previous == GENESIS:
        return "is not the first of a file: what was before it is missing"
    return "does not follow the line before it: one of the two was changed, or lines were removed, added or moved there"
