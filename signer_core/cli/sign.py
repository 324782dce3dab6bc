"""``signer sign``: signatures of files."""

import os
from collections.abc import Sequence

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.failures import Failure, reason
from signer_core.cli.input import STDIN, opened
from signer_core.cli.output import Command, replace_file, write
from signer_core.cli.progress import progress
from signer_core.cli.signatures import ENCODINGS
from signer_core.cli.signing import signature_of, signatures_of, steps_to_sign

_SUFFIX = ".sig"


@click.command("sign", cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "--output", "-o", type=click.Path(allow_dash=True), metavar="PATH", help="Where the one signature goes, not stdout."
)
@click.option(
    "--encoding",
    type=click.Choice(list(ENCODINGS)),
    default="raw",
    show_default=True,
    help="How signatures are written; hex and base64 as text that ends with a newline.",
)
@click.pass_obj
def command(command_line: CommandLine, files: tuple[str, ...], output: str | None, encoding: str) -> None:
    """Sign each FILE; "-" is the standard input.

    The signature of one FILE goes to the standard output, or to the PATH of --output. Those of several go to FILE.sig
    each, which is replaced if it is there.
    """
    if len(files) == 1:
        _sign_one(command_line, files[0], output, encoding)
        return
    if output is not None:
        raise click.UsageError("--output takes one signature; those of several files go to FILE.sig each")
    _sign_several(command_line, files, encoding)


def _sign_one(command_line: CommandLine, file: str, target: str | None, encoding: str) -> None:
    if target is not None and os.path.exists(target) and os.path.exists(file) and os.path.samefile(target, file):
        raise Failure(f"the signature would replace {file}, which is to be signed", remedy="give another --output")
    with (
        opened(file) as message,
        command_line.open_signer() as signer,
        progress("signing", steps_to_sign(signer, message.size)) as bar,
    ):
        signature = ENCODINGS[encoding](signature_of(signer, message, bar))
        bar.update(1)
    if target is None or target == STDIN:
        write(signature)
    else:
        replace_file(target, signature)


def _sign_several(command_line: CommandLine, files: Sequence[str], encoding: str) -> None:
    _check_all(files)
    with command_line.open_signer() as signer:
        steps = sum(steps_to_sign(signer, os.path.getsize(file)) for file in files)
        with progress("signing", steps) as bar:
            for file, signature in signatures_of(signer, files, bar):
                replace_file(file + _SUFFIX, ENCODINGS[encoding](signature))
                bar.update(1)


def _check_all(files: Sequence[str]) -> None:
    """Find out what is wrong with any of the files before the first one is signed."""
    if STDIN in files:
        raise click.UsageError('"-", the standard input, is signed alone: it has no name for a FILE.sig')
    signed = {os.path.realpath(file): file for file in files}
    for file in files:
        if (other := signed.get(os.path.realpath(file + _SUFFIX))) is not None:
            raise Failure(
                f"the signature of {file} would replace {other}, which is to be signed too",
                remedy="leave out the signatures",
            )
        try:
            if not os.path.isfile(file) and os.path.exists(file):
                raise OSError("it is no file")
            with open(file, "rb"):
                pass
        except OSError as error:
            remedy = "nothing was signed; leave it out or make it right"
            raise Failure(f"{file} cannot be read: {reason(error)}", remedy=remedy) from error
