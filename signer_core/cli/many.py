"""How ``signer sign`` signs many files: FILE.sig for each, and a word about those that have none when it ends early."""

import contextlib
import functools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from signer_core.cli.failures import Failure, reason
from signer_core.cli.input import STDIN, named, opened, read
from signer_core.cli.interruption import interruptible
from signer_core.cli.progress import progress
from signer_core.cli.replacing import Replacing
from signer_core.cli.signatures import ENCODINGS, LIMIT, candidates, is_one_over
from signer_core.cli.signing import check_sizes, signatures_of, steps_to_sign

if TYPE_CHECKING:
    from signer_core.cli.command_line import CommandLine
    from signer_core.signer import Signer

_SUFFIX = ".sig"
_NAMED = 3  # so many files are named where there are more of them; the others are counted


def sign_many(command_line: "CommandLine", files: Sequence[str], encoding: str, *, only_missing: bool) -> None:
    """Sign each file; with ``only_missing`` not those that have the signature already."""
    _check_all(files)
    missing = dict(enumerate(files))
    has_begun = False
    try:
        with interruptible() as interruption, command_line.open_signer() as signer:
            sizes = {file: os.path.getsize(file) for file in files}
            check_sizes(signer, sizes)
            has_begun = True

            def is_signed(file: str) -> bool:
                return only_missing and _has_signature(signer, file, encoding)

            steps = sum(steps_to_sign(signer, sizes[file]) for file in files)
            with (
                progress("signing", steps) as bar,
                Replacing(interruption) as replacing,
                replacing,  # ended once more: an interrupt, of which there is one, may come where the first end begins
                contextlib.closing(signatures_of(signer, files, bar, is_signed=is_signed)) as signatures,
            ):

                def placed(number: int) -> None:
                    del missing[number]
                    bar.update(1)

                for number, signature in enumerate(signatures):
                    if signature is None:
                        placed(number)
                        continue
                    content = ENCODINGS[encoding](signature)
                    replacing.add(files[number] + _SUFFIX, content, functools.partial(placed, number))
    except BaseException as error:
        if has_begun or isinstance(error, KeyboardInterrupt):
            error.add_note(account(len(files), list(missing.values())))
        raise


def account(count: int, missing: Sequence[str]) -> str:
    """What became of so many files, when those that are ``missing`` were not signed."""
    if not missing:
        return f"all {count} files are signed"
    *others, last = missing if len(missing) <= _NAMED else [*missing[:_NAMED], f"{len(missing) - _NAMED} more"]
    names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    signed = count - len(missing)
    return f"{signed} of {count} files are signed; {names} not: the same command with --missing signs them"


def listed(path: str) -> list[str]:
    """The names in a list: one a line, or each ended by a NUL."""
    content = read(path)
    names = [os.fsdecode(name) for name in content.split(_end_of_names(content)) if name]
    if not names:
        raise Failure(f"{named(path)} lists no file", remedy="nothing was signed; is that what made the list in order?")
    return names


def _end_of_names(content: bytes) -> bytes:
    if b"\0" in content:
        return b"\0"
    # A name may end with a carriage return, but where each one does, they are the lines of a text from Windows.
    return b"\r\n" if content.count(b"\r\n") == content.count(b"\n") else b"\n"


def _has_signature(signer: "Signer", file: str, encoding: str) -> bool:
    """Whether FILE.sig is what this key might write now; that there is one says nothing."""
    path = file + _SUFFIX
    if not os.path.isfile(path):
        return False
    try:
        encoded = read(path, limit=LIMIT)
    except Failure:
        return False
    encode = ENCODINGS[encoding]
    found = [signature for signature in candidates(encoded) if encode(signature) == encoded]
    if not found:
        return False
    with opened(file) as message:
        return is_one_over(signer.public_key, found, message)


def _check_all(files: Sequence[str]) -> None:
    """Find out what is wrong with any of the files before the first one is signed."""
    if STDIN in files:
        raise click.UsageError('"-", the standard input, is signed alone: it has no name for a FILE.sig')
    signed = {os.path.realpath(file): file for file in files}
    replaced: dict[str, str] = {}
    for file in files:
        target = os.path.realpath(file + _SUFFIX)
        if (other := signed.get(target)) is not None:
            raise Failure(
                f"the signature of {file} would replace {other}, which is to be signed too",
                remedy="leave out the signatures",
            )
        other = replaced.setdefault(target, file)
        if other != file and os.path.realpath(other) != os.path.realpath(file):
            raise Failure(
                f"the signatures of {other} and {file} would replace one another: {other}{_SUFFIX} and {file}{_SUFFIX} "
                "are one file",
                remedy="nothing was signed; take away the link",
            )
        try:
            if not os.path.isfile(file) and os.path.exists(file):
                raise OSError("it is no file")
            with open(file, "rb"):
                pass
        except OSError as error:
            remedy = "nothing was signed; leave it out or make it right"
            raise Failure(f"{file} cannot be read: {reason(error)}", remedy=remedy) from error
