"""Commands and their options, out of click."""

import inspect
from importlib.metadata import entry_points

import click
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from signer_core.cli import COMMANDS, Commands
from signer_core.extension_plugin import load_extension
from signer_core.installed import installed_plugins
from signer_core.plugins import load_backend

_logger = logging.getLogger(__name__)


class CommandDirective(SphinxDirective):
    """``{command} signer sign``: how it is called, what it does, its options."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The usage, the help, and the options."""
        name = self.arguments[0]
        command = find(name)
        for option in documented(command):
            if not option.help:
                _logger.warning("%s %s has no help", name, option.opts[0], location=self.get_location())
        return self.parse_text_to_nodes(written(name, command))


def find(name: str) -> click.Command:
    """The command that is called ``name``: a program, and perhaps subcommands of it or of a plugin."""
    program, *path = name.split()
    (entry_point,) = entry_points(group="console_scripts", name=program)
    command: click.Command = entry_point.load()
    for each in path:
        command = inner(command, each)
    return command


def inner(command: click.Command, name: str) -> click.Command:
    """The subcommand ``name``; of ``signer`` it may be one that a backend or an extension brings."""
    if isinstance(command, Commands) and name not in COMMANDS:
        plugins = [each for each in installed_plugins() if each.name == name]
        groups = [(load_backend if each.kind == "backend" else load_extension)(name).commands() for each in plugins]
        found: click.Command | None = next((group for group in groups if group is not None), None)
    else:
        found = command.get_command(click.Context(command), name) if isinstance(command, click.Group) else None
    if found is None:
        raise LookupError(f"there is no command {name}")
    return found


def documented(command: click.Command) -> list[click.Option]:
    """The options of a command that are its own: ``--help`` is everybody's."""
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def written(name: str, command: click.Command) -> str:
    """A command as Markdown."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"```{{code-block}} text\n{usage}\n```\n", paragraphs(command), f"```{{program}} {name}\n```\n"]
    lines += [
        f"```{{option}} {names(each)}\n\n{each.help}\n{default(each, context)}\n```\n" for each in documented(command)
    ]
    return "\n".join(lines)


def paragraphs(command: click.Command) -> str:
    """The help of a command."""
    return inspect.cleandoc(command.help or "") + "\n"


def names(option: click.Option) -> str:
    """The names of an option, the long one first, and what it takes."""
    takes = "" if option.is_flag or option.count else f" {option.make_metavar(click.Context(click.Command('')))}"
    return ", ".join(f"{each}{takes}" for each in sorted(option.opts, key=len, reverse=True))


def default(option: click.Option, context: click.Context) -> str:
    """The default of an option that shows it in the help, too."""
    return f"\nDefault: `{option.get_default(context)}`" if option.show_default else ""
