"""``signer init``: a key, and the configuration that opens it."""

import contextlib
import functools
import os
from typing import TYPE_CHECKING

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.failures import Failure
from signer_core.cli.output import Command, create_file, write
from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_core.settings import Settings
    from signer_core.signer import Signer


@click.command("init", cls=Command)
@click.pass_obj
def command(command_line: CommandLine) -> None:
    """Make the configured key if it is missing, and print its address in hex. Running it twice changes nothing.

    An RSA key has no address: its fingerprint is printed.

    With --backend and no configuration file there, one is written too: the backend, the options given by --set, and a
    comment for each of the others. Where there is one, options by --set that would make another key are refused.
    """
    is_first_time = command_line.backend is not None and not command_line.file.exists
    printed = _first_time(command_line) if is_first_time else _once_more(command_line)
    write(f"{printed}\n")


def _once_more(command_line: CommandLine) -> str:
    """Make the key of a configuration that is there; what is printed of it."""
    settings = command_line.settings()
    _check_options(settings)
    with _open(settings) as signer:
        return _printed(signer)


def _first_time(command_line: CommandLine) -> str:
    """Make the key, then write the file, so that a failure leaves nothing that a second run would stumble over.

    Whoever else does it at the same time makes the same key; one of them writes the file, and it counts for all.
    """
    from signer_core.cli.template import template

    path = command_line.file.path.absolute()
    if path.suffix in (".yaml", ".yml"):
        raise ConfigError(f"{path} would be YAML, and init writes TOML", remedy="give it a name that ends in .toml")
    if not os.path.isdir(path.parent):
        raise Failure(f"{path} cannot be written: there is no directory {path.parent}")
    settings = command_line.settings_without_file().replace(directory=path.parent)
    content = template(settings)
    with _open(settings) as signer:
        printed, key_id = _printed(signer), signer.key_id
        is_written = create_file(str(path), content.encode())
    if not is_written:
        try:
            return _once_more(command_line)
        except ConfigError as error:
            error.add_note(f"the key {key_id} was opened or made before that was seen")
            raise
    click.echo(f"wrote {path}", err=True)
    return printed


def _printed(signer: "Signer") -> str:
    from signer_core.cli.public_keys import has_raw

    return signer.address.hex() if has_raw(signer.algorithm) else signer.public_key.fingerprint


def _open(settings: "Settings") -> "Signer":
    """Open the key, and make it if it is missing; only then a secret that is asked for is asked for twice."""
    from signer_core.cli.prompt import ask, is_asked_for
    from signer_core.errors import KeyNotFoundError
    from signer_core.factory import open_signer

    if not is_asked_for(settings):
        return open_signer(settings, make=True)
    with contextlib.suppress(KeyNotFoundError):
        return open_signer(settings)
    return open_signer(settings.replace(prompt=functools.partial(ask, confirm=True)), make=True)


def _check_options(settings: "Settings") -> None:
    """Refuse options on the command line that would make another key than the configuration's.

    Options of the core choose no key, and a secret may come from elsewhere for this once: it opens the key or does not.
    """
    from signer_core.config_class import option_fields
    from signer_core.options import holds
    from signer_core.plugins import load_backend
    from signer_core.secrets import Secret

    if not settings.arguments.keys() - {"backend"}:
        return
    config_class = load_backend(settings.backend, trusted=settings.core_options().trusted).backend.config_class
    given = settings.backend_config(config_class)
    for option, field in option_fields(config_class).items():
        if option not in settings.arguments or holds(field.type, Secret):
            continue
        others = {name: value for name, value in settings.arguments.items() if name != option}
        try:
            configured = settings.replace(arguments=others).backend_config(config_class)
            differs = getattr(configured, field.name) != getattr(given, field.name)
        except ConfigError:  # without the option it is not whole
            differs = True
        if differs:
            raise ConfigError(
                f"{settings.source} is there already, and its option {option!r} is not what --set says",
                remedy=f"leave out --set {option}, change the file, or give another one by --config",
            )
