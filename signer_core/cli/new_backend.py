"""``signer new-backend``: a backend of one's own."""

import click

from signer_core.cli.output import Command, write


@click.command("new-backend", cls=Command)
@click.argument("name")
@click.option("--output", "-o", type=click.Path(), metavar="PATH", help="The new directory.  [default: ./signer-NAME]")
def command(*, name: str, output: str | None) -> None:
    """Write the distribution of a new backend NAME, complete, with a toy for a key and tests that pass.

    NAME is what configurations will call it, in lower case: `vault` makes ./signer-vault with the package signer_vault.
    """
    from signer_core.cli.new_distribution import write_distribution

    write(f"{write_distribution('backend', name, output)}\n  signer --backend {name} --set path=key init\n")
