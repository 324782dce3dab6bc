"""``signer verify``: the signature of a file."""

from typing import TYPE_CHECKING

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.input import STDIN, named, opened, read
from signer_core.cli.output import Command, write
from signer_core.cli.signatures import LIMIT, candidates, is_one_over
from signer_core.errors import InvalidSignatureError

if TYPE_CHECKING:
    from signer_core.public_key import PublicKey


@click.command("verify", cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@click.argument("signature", metavar="SIGNATURE", type=click.Path(allow_dash=True))
@click.option(
    "--public-key", metavar="PATH", type=click.Path(), help="The public key, not that of the configured signer."
)
@click.option("--algorithm", metavar="NAME", help="What that key signs with, where it serves several algorithms.")
@click.pass_obj
def command(
    command_line: CommandLine, file: str, signature: str, public_key: str | None, algorithm: str | None
) -> None:
    """Verify that the signature in the file SIGNATURE was made over FILE; "-" is the standard input.

    SIGNATURE has any encoding that `signer sign` writes, the public key any that `signer show` writes.
    """
    if file == signature == STDIN:
        raise click.UsageError("FILE and SIGNATURE cannot both be the standard input")
    if algorithm is not None and public_key is None:
        raise click.UsageError("--algorithm is for the key of --public-key; the configured signer has its own")
    encoded = read(signature, limit=LIMIT)
    with opened(file) as message:
        key = _configured_key(command_line) if public_key is None else _key_in(public_key, algorithm)
        is_good = is_one_over(key, candidates(encoded), message, label="reading")
    if not is_good:
        raise InvalidSignatureError(
            f"wrong signature: {named(signature)} was not made over {named(file)} with this key",
            remedy=f"the key is {key.algorithm}, its fingerprint {key.fingerprint}; are both the signer's?",
        )
    write(f"the signature is good: made over {named(file)} with the {key.algorithm} key {key.fingerprint}\n")


def _configured_key(command_line: CommandLine) -> "PublicKey":
    with command_line.open_signer() as signer:
        return signer.public_key


def _key_in(path: str, algorithm: str | None) -> "PublicKey":
    from signer_core.cli.public_keys import parse
    from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError

    try:
        return parse(read(path, limit=LIMIT), algorithm)
    except (KeyFormatError, UnsupportedAlgorithmError) as error:
        raise type(error)(f"{path}: {error.message}", remedy=error.remedy) from None
