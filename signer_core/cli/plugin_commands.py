"""``signer NAME …``: the commands that a backend brings."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_core.cli.command_line import CommandLine
    from signer_core.plugins import BackendPlugin
    from signer_core.secrets import Secret


class PluginCommandLine:
    """What the commands of one plugin find in ``ctx.obj``: see :class:`signer_core.hookspecs.CommandLine`."""

    def __init__(self, command_line: "CommandLine", plugin: "BackendPlugin") -> None:
        self._command_line = command_line
        self._plugin = plugin

    def backend_config(self) -> Any:
        """The configured options of the backend, which the command's own name chooses where nothing else does."""
        settings = self._command_line.settings(backend=self._plugin.name)
        if settings.backend != self._plugin.name:
            raise ConfigError(
                f"{settings.source} is for the backend {settings.backend!r}, "
                f"and the commands of {self._plugin.name!r} work with their own",
                remedy="give another file by --config",
            )
        return settings.backend_config(self._plugin.backend.config_class)

    def secret(self, reference: str | None, text: str, *, confirm: bool = False) -> "Secret":
        """The secret that ``reference`` names, or that the user is asked for."""
        from signer_core.cli.command_line import secret

        return secret(reference, text, confirm=confirm)


def plugin_commands(ctx: click.Context, name: str) -> click.Command | None:
    """The commands of the backend ``name``; None where no such backend is installed. No other one is imported."""
    from signer_core.installed import installed_plugins
    from signer_core.plugins import load_backend

    if not any(each.name == name for each in installed_plugins() if each.kind == "backend"):
        return None
    command_line: CommandLine = ctx.obj
    with contextlib.redirect_stdout(sys.stderr):  # what the commands print is for them to say, but not their import
        plugin = load_backend(name, trusted=_trusted(command_line, name))
        commands: click.Command | None = plugin.commands()
    if commands is None:
        raise click.UsageError(f"the backend {name!r} has no commands of its own", ctx)
    ctx.obj = PluginCommandLine(command_line, plugin)
    return commands


def _trusted(command_line: "CommandLine", name: str) -> str | None:
    """The distribution that the configuration trusts with the backend: to be known before anything is imported.

    For help, what is wrong with the configuration otherwise does not matter.
    """
    trusted: object = None
    try:
        settings = command_line.settings(backend=name)
        if settings.backend == name:
            trusted = {**settings.table, **settings.arguments}.get("trusted")
            trusted = settings.core_options().trusted
    except ConfigError:
        if not command_line.only_help:
            raise
    return None if trusted is None else str(trusted)
