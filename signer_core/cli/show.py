"""``signer show``: the public key."""

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.output import Command, write
from signer_core.cli.public_keys import FORMATS


@click.command("show", cls=Command)
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="The encoding."
)
@click.pass_obj
def command(command_line: CommandLine, form: str) -> None:
    """Print the public key of the configured signer.

    text and json tell all there is to know of the key; each of the others writes just that encoding: der and libp2p as
    bytes, the rest as text that ends with a newline.
    """
    with command_line.open_signer() as signer:
        write(FORMATS[form](signer))
