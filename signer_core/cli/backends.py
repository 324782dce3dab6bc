"""``signer backends``: what is installed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from signer_core.cli.failures import one_line
from signer_core.cli.output import Command, write

if TYPE_CHECKING:
    from signer_core.installed import Installed

_COLUMNS = ("name", "kind", "distribution", "version", "summary", "path")


@click.command("backends", cls=Command)
@click.option("--load", is_flag=True, help="Import each of them, and show what is wrong with those that are broken.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects in JSON.")
def command(*, load: bool, as_json: bool) -> None:
    """List the installed backends and extensions, with the distribution that each comes from.

    It is read from the distributions' metadata. Without --load nothing is imported, and only those are shown as broken
    whose name is claimed more than once.
    """
    from signer_core.installed import installed_plugins

    plugins = installed_plugins(load=load)
    if as_json:
        import json

        import attrs

        write(json.dumps([attrs.asdict(plugin) for plugin in plugins], indent=2) + "\n")
    elif plugins:
        write("".join(f"{line}\n" for line in _table(plugins)))
    else:
        click.echo("no backend is installed; `pip install signer-file` brings one", err=True)


def _table(plugins: "Sequence[Installed]") -> Iterator[str]:
    """Aligned columns, and below a broken plugin what is wrong with it."""
    rows = [[one_line(getattr(plugin, column)) for column in _COLUMNS] for plugin in plugins]
    head = [column.upper() for column in _COLUMNS]
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(map(str.ljust, cells, widths)).rstrip()

    yield line(head)
    for plugin, row in zip(plugins, rows, strict=True):
        yield line(row)
        if plugin.error is not None:
            yield f"  broken: {one_line(plugin.error)}"
