"""``signer new-extension``: an extension of one's own."""

import click

from signer_core.cli.output import Command, write


@click.command("new-extension", cls=Command)
@click.argument("name")
@click.option("--output", "-o", type=click.Path(), metavar="PATH", help="The new directory.  [default: ./signer-NAME]")
def command(*, name: str, output: str | None) -> None:
    """Write the distribution of a new extension NAME, complete, with a toy for a policy and tests that pass.

    NAME is what configurations will call it, in lower case: `limits` makes ./signer-limits with the package
    signer_limits.
    """
    from signer_core.cli.new_distribution import write_distribution

    write(f"{write_distribution('extension', name, output)}\n  # attach it: [signer.extensions.{name}]\n")
