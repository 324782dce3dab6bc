"""``signer sign``: signatures of files."""

import os

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.failures import Failure
from signer_core.cli.input import STDIN, opened
from signer_core.cli.output import Command, replace_file, write
from signer_core.cli.progress import progress
from signer_core.cli.signatures import ENCODINGS
from signer_core.cli.signing import signature_of, steps_to_sign


@click.command("sign", cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(allow_dash=True))
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
@click.option(
    "--missing",
    is_flag=True,
    help="Sign only each FILE whose FILE.sig is not, in this encoding, a signature of this key over what FILE has now.",
)
@click.option(
    "--files-from",
    type=click.Path(allow_dash=True),
    metavar="PATH",
    help="Sign the files that PATH lists too, one a line, or each ended by a NUL as `find -print0` writes them.",
)
@click.pass_obj
def command(
    command_line: CommandLine,
    *,
    files: tuple[str, ...],
    output: str | None,
    encoding: str,
    missing: bool,
    files_from: str | None,
) -> None:
    """Sign each FILE; "-" is the standard input.

    The signature of one FILE goes to the standard output, or to the PATH of --output. Those of several, and with
    --missing or --files-from that of one, go to FILE.sig each, which is replaced if it is there.

    A command that ends early, by Ctrl-C too, leaves only whole signatures, and says which FILEs are not signed. The
    same command with --missing goes on from there.
    """
    if not files and files_from is None:
        raise click.UsageError("Missing argument 'FILE...'.")
    if len(files) == 1 and files_from is None and not missing:
        _sign_one(command_line, files[0], output, encoding)
        return
    from signer_core.cli.many import listed, sign_many

    if output is not None:
        raise click.UsageError("--output takes one signature; those of several files go to FILE.sig each")
    if files_from is not None:
        files = (*files, *listed(files_from))
    sign_many(command_line, files, encoding, only_missing=missing)


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
