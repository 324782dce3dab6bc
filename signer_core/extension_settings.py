"""The options of the extensions of one signer: a table for each, inside the signer's own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from signer_core.config_class import build, option_fields, portable, unknown_option
from signer_core.errors import ConfigError
from signer_core.options import Conversion

T = TypeVar("T")


class ExtensionSettings:
    """One table ``[signer.extensions.NAME]`` as it was found: nothing converted yet.

    The parameters are those of :class:`~signer_core.settings.Settings`.
    """

    __slots__ = ("directory", "name", "prompt", "source", "table")

    def __init__(
        self,
        table: Mapping[str, object],
        *,
        source: str,
        directory: Path,
        name: str,
        prompt: Callable[[str], bytes] | None = None,
    ) -> None:
        self.table = table
        self.source = source
        self.directory = directory
        self.name = name
        self.prompt = prompt

    def config(self, config_class: type[T]) -> T:
        """The options as the extension's attrs class. Raises :class:`ConfigError`; for a faulty class
        :class:`PluginContractError`.
        """
        fields = option_fields(config_class)
        for option in self.table:
            if option not in fields:
                raise unknown_option(f"extension {self.name!r}", option, self.source, fields=fields)
        conversion = Conversion(self.directory, self.prompt)
        return build(config_class, self.table, conversion=conversion, source=self.source, origin=lambda _: self.source)

    def reopening(self, config: object) -> dict[str, object]:
        """The table that gives the same ``config`` anywhere."""
        return portable(config, self.table)


def extension_settings(
    tables: object, *, source: str, directory: Path, prompt: Callable[[str], bytes] | None
) -> list[ExtensionSettings]:
    """Those in the option ``extensions`` of the table that messages call ``source``. Raises :class:`ConfigError`."""
    if not isinstance(tables, Mapping) or not all(isinstance(name, str) and name for name in tables):
        raise ConfigError(
            f"option 'extensions' in {source} is not right", remedy="write a table for each: [signer.extensions.NAME]"
        )
    found = []
    for name, table in tables.items():
        inner = _inside(source, name)
        if not isinstance(table, Mapping) or not all(isinstance(option, str) for option in table):
            raise ConfigError(f"{inner} is not a table of options", remedy="without options it is an empty one")
        found.append(ExtensionSettings(dict(table), source=inner, directory=directory, name=name, prompt=prompt))
    return found


def _inside(source: str, name: str) -> str:
    """What messages call the table of an extension inside the table ``source``: "FILE [signer]", or a mapping."""
    heading = f".extensions.{name}]"
    return f"{source.removesuffix(']')}{heading}" if source.endswith("]") else f"{source} [signer{heading}"
