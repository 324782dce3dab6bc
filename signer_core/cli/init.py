"""``signer init``: a key, and the configuration that opens it."""

import os

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.failures import Failure
from signer_core.cli.output import Command, create_file, write
from signer_core.errors import ConfigError


@click.command("init", cls=Command, short_help="Make the key if it is missing, and print its address.")
@click.pass_obj
def command(command_line: CommandLine) -> None:
    """Make the configured key if it is missing, and print its address in hex. Running it twice changes nothing.

    With --backend and no configuration file there, one is written too: the backend, the options given by --set, and a
    comment for each of the others.
    """
    is_first_time = command_line.backend is not None and not command_line.file.exists
    address = _first_time(command_line) if is_first_time else _once_more(command_line)
    write(f"{address.hex()}\n")


def _once_more(command_line: CommandLine) -> bytes:
    """Make the key of a configuration that is there; its address."""
    from signer_core.factory import open_signer

    with open_signer(command_line.settings(confirm=True), make=True) as signer:
        return signer.address


def _first_time(command_line: CommandLine) -> bytes:
    """Make the key, then write the file, so that a failure leaves nothing that a second run would stumble over.

    Whoever else does it at the same time makes the same key; one of them writes the file, and it counts for all.
    """
    import attrs

    from signer_core.cli.template import template
    from signer_core.factory import open_signer

    path = command_line.file.path.absolute()
    if path.suffix in (".yaml", ".yml"):
        raise ConfigError(f"{path} would be YAML, and init writes TOML", remedy="give it a name that ends in .toml")
    if not os.path.isdir(path.parent):
        raise Failure(f"{path} cannot be written: there is no directory {path.parent}")
    settings = attrs.evolve(command_line.settings_without_file(confirm=True), directory=path.parent)
    content = template(settings)
    with open_signer(settings, make=True) as signer:
        address = signer.address
        is_written = create_file(str(path), content.encode())
    if not is_written:
        return _once_more(command_line)
    click.echo(f"wrote {path}", err=True)
    return address
