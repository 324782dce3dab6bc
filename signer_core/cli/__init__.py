"""The ``signer`` command.

Here are its options and the table of its subcommands; a subcommand's module is imported when it is invoked, and a
plugin's when the configuration names it, so that nobody waits for what they do not use.
"""

import importlib
from typing import TYPE_CHECKING

import click

from signer_core.cli.program import Program

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: The subcommands, each in a module of its name, in the order of ``signer --help``.
COMMANDS = {
    "init": "Make the key if it is missing, and print its address.",
    "show": "Print the public key.",
    "sign": "Sign files.",
    "verify": "Verify the signature of a file.",
    "check": "Go through the configuration step by step, with what to do about each failure.",
    "backends": "List the installed backends and extensions.",
    "new-backend": "Write a new backend, as a distribution with tests.",
    "new-extension": "Write a new extension, as a distribution with tests.",
    "demo": "Show what signing by configuration is, in a temporary folder.",
}


class Commands(Program, click.Group):
    """The subcommands of the table, and for any other name the commands that the plugin of that name brings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options of ``signer`` itself, which every subcommand then finds in ``ctx.obj``."""
        from signer_core.cli.command_line import CommandLine

        rest = super().parse_args(ctx, args)
        ctx.obj = CommandLine(**ctx.params)
        return rest

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; where only its help is wanted, the configuration need not be in order."""
        ctx.obj.only_help = ctx.resilient_parsing or not {*ctx.help_option_names}.isdisjoint(args[1:])
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported now."""
        if cmd_name in COMMANDS:
            command: click.Command = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
            return command
        from signer_core.cli.plugin_commands import plugin_commands
        from signer_core.errors import SignerError

        try:
            return plugin_commands(ctx, cmd_name)
        except (SignerError, click.UsageError):
            if ctx.resilient_parsing:  # the shell completes, and has no place for errors
                return None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing anything for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the names in the table, without importing anything for it; options as every command does.

        A name that was begun may be a plugin's as well; whether it brings commands cannot be told without its import.
        """
        from click.shell_completion import CompletionItem

        from signer_core.cli.completion import plugins

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        of_plugins = plugins(incomplete) if incomplete else []
        return names + of_plugins + click.Command.shell_complete(self, ctx, incomplete)


def _assignments(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The options of ``--set``; the last value of an option counts."""
    options = {}
    for each in values:
        option, equals, value = each.partition("=")
        if not option or not equals:
            raise click.BadParameter(f"write OPTION=VALUE, not {each!r}")
        options[option] = value
    return options


def _complete_backend(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from signer_core.cli.completion import backends

    return backends(incomplete)


def _complete_signer(ctx: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from signer_core.cli.completion import signers

    return signers(ctx.params.get("config"), incomplete)


@click.command(
    "signer",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Some backends and extensions bring commands of their own: `signer file --help` shows those of `file`.",
)
@click.option(
    "--config",
    "-c",
    type=click.Path(),
    metavar="PATH",
    is_eager=True,  # so that completing --signer knows the file
    help="The configuration file, TOML or YAML.  [default: $SIGNER_CONFIG, else ./signer.toml]",
)
@click.option(
    "--signer", "-s", metavar="NAME", shell_complete=_complete_signer, help="The signer [signers.NAME] of that file."
)
@click.option(
    "--backend",
    metavar="NAME",
    shell_complete=_complete_backend,
    help="The backend, where there is no configuration file.",
)
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="OPTION=VALUE",
    callback=_assignments,
    help="Set an option of the backend, for this once. May be repeated.",
)
@click.option("-v", "verbosity", count=True, help="Tell more on stderr; -vv adds the traceback of an error.")
@click.version_option(package_name="signer-core", prog_name="signer")
def main(**_: object) -> None:
    """Sign with a key that lives anywhere, as a configuration names it.

    Exit status: 0; 1 for an error or a wrong signature; 2 for an unknown command or flag.
    """
