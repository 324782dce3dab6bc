"""``signer NAME …``: the commands that a backend or an extension brings."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from signer_core.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from signer_core.cli.command_line import CommandLine
    from signer_core.extension_plugin import ExtensionPlugin
    from signer_core.plugins import BackendPlugin
    from signer_core.secrets import Secret


class PluginCommandLine:
    """What the commands of one plugin find in ``ctx.obj``: see :class:`signer_core.hookspecs.CommandLine`."""

    def __init__(self, command_line: "CommandLine", plugin: "BackendPlugin | ExtensionPlugin") -> None:
        self._command_line = command_line
        self._plugin = plugin

    def config(self) -> Any:
        """The configured options of the plugin's backend or extension."""
        from signer_core.plugins import BackendPlugin

        if isinstance(self._plugin, BackendPlugin):
            return _backend_config(self._command_line, self._plugin)
        return _extension_config(self._command_line, self._plugin)

    def secret(self, reference: str | None, text: str, *, confirm: bool = False) -> "Secret":
        """The secret that ``reference`` names, or that the user is asked for."""
        from signer_core.cli.command_line import secret

        return secret(reference, text, confirm=confirm)


def plugin_commands(ctx: click.Context, name: str) -> click.Command | None:
    """The commands of the backend or the extension ``name``; None where there is neither. No other one is imported.

    Raises :class:`~signer_core.errors.PluginError` where it is one of this project's that is not installed.
    """
    from signer_core.distributions import OURS, the_one
    from signer_core.extension_plugin import load_extension
    from signer_core.installed import installed_plugins
    from signer_core.plugins import load_backend

    kinds = {each.kind for each in installed_plugins() if each.name == name}
    if not kinds:
        for group, ours in OURS.items():
            if name in ours:
                the_one(group, name)  # says what to install
        return None
    command_line: CommandLine = ctx.obj
    plugins: list[BackendPlugin | ExtensionPlugin] = []
    with contextlib.redirect_stdout(sys.stderr):  # what the commands print is for them to say, but not their import
        if "backend" in kinds:
            plugins.append(load_backend(name, trusted=_trusted(command_line, name)))
        if "extension" in kinds:
            plugins.append(load_extension(name))
        found = [(plugin, commands) for plugin in plugins if (commands := plugin.commands()) is not None]
    if not found:
        raise click.UsageError(f"the {' or '.join(sorted(kinds))} {name!r} has no commands of its own", ctx)
    if len(found) > 1:
        raise PluginError(
            f"both the backend and the extension {name!r} bring commands",
            remedy=f"uninstall {' or '.join(plugin.distribution for plugin in plugins)}",
        )
    [(plugin, commands)] = found
    ctx.obj = PluginCommandLine(command_line, plugin)
    return commands


def _backend_config(command_line: "CommandLine", plugin: "BackendPlugin") -> Any:
    """The options of the backend, which the command's own name chooses where nothing else does."""
    settings = command_line.settings(backend=plugin.name)
    if settings.backend != plugin.name:
        raise ConfigError(
            f"{settings.source} is for the backend {settings.backend!r}, "
            f"and the commands of {plugin.name!r} work with their own",
            remedy="give another file by --config",
        )
    return plugin.configure(settings)


def _extension_config(command_line: "CommandLine", plugin: "ExtensionPlugin") -> Any:
    """The options of the extension, as the configured signer has it."""
    settings = command_line.settings()
    for each in settings.extensions():
        if each.name == plugin.name:
            return plugin.configure(each).config
    raise ConfigError(
        f"{settings.source} lists no extension {plugin.name!r}",
        remedy="list it in the option 'extensions', or give another file by --config",
    )


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
