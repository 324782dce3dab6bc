"""Settings: the options of one signer as they were found, and what they become: the attrs class of its backend."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from signer_core.config_class import build, option_fields, portable, unknown_option
from signer_core.core_options import CORE_FIELDS, CORE_OPTIONS, CoreOptions
from signer_core.errors import ConfigError, PluginContractError
from signer_core.options import Conversion, ShellText

if TYPE_CHECKING:
    from signer_core.extension_settings import ExtensionSettings

_logger = logging.getLogger("signer_core")

ENVIRONMENT_PREFIX = "SIGNER_"
#: What the environment cannot touch: it protects the key.
_PROTECTED = frozenset({"verify", "trusted", "extensions"})
_PROTECTED_PREFIXES = ("expected_", "allow_")

T = TypeVar("T")


class Settings:
    """One ``[signer]`` table as it was found: nothing converted yet, but all known of where it came from.

    Messages call it ``source``; relative paths start at ``directory``. Of its options, ``arguments`` win over the
    ``environment``, and that over the ``table``. ``prompt`` asks for a secret, by the name of its option.
    """

    __slots__ = ("arguments", "directory", "environment", "name", "prompt", "source", "table")

    def __init__(
        self,
        table: Mapping[str, object],
        *,
        source: str,
        directory: Path,
        name: str | None = None,
        environment: Mapping[str, ShellText] | None = None,
        arguments: Mapping[str, object] | None = None,
        prompt: Callable[[str], bytes] | None = None,
    ) -> None:
        self.table = table
        self.source = source
        self.directory = directory
        self.name = name
        self.environment = environment or {}
        self.arguments = arguments or {}
        self.prompt = prompt

    def replace(self, **changes: Any) -> "Settings":
        """The same settings with other values for some of the parameters."""
        return Settings(**{name: getattr(self, name) for name in self.__slots__} | changes)

    @property
    def backend(self) -> str:
        """The name of the backend."""
        for options in (self.arguments, self.table, self.environment):
            if "backend" in options:
                name = options["backend"]
                if not isinstance(name, str) or not name:
                    raise ConfigError(f"option 'backend' in {self.source}: write the name of a backend")
                return name.as_text() if isinstance(name, ShellText) else name
        raise ConfigError(
            f"{self.source} names no backend", remedy='add backend = "NAME"; `signer backends` lists the installed ones'
        )

    def core_options(self) -> CoreOptions:
        """The core's own options. Raises :class:`ConfigError`."""
        return self._build(CoreOptions, CORE_FIELDS)

    def backend_config(self, config_class: type[T]) -> T:
        """The backend's own options as its attrs class. Raises :class:`ConfigError`; for a faulty class
        :class:`PluginContractError`.
        """
        fields = check_config_class(config_class)
        for options in (self.table, self.arguments):
            for name in options:
                if name not in fields and name not in CORE_OPTIONS:
                    owner = f"backend {self.backend!r}"
                    raise unknown_option(owner, name, self.source, fields=fields, others=CORE_OPTIONS)
        return self._build(config_class, fields)

    def extensions(self) -> "list[ExtensionSettings]":
        """The tables of the extensions, in order. Raises :class:`ConfigError`."""
        tables = self._given(("extensions",)).get("extensions")
        if tables is None:
            return []
        from signer_core.extension_settings import extension_settings

        return extension_settings(
            tables.as_toml() if isinstance(tables, ShellText) else tables,
            source=self._origin("extensions"),
            directory=self.directory,
            prompt=self.prompt,
        )

    def effective_variables(self, config_class: type[Any]) -> dict[str, str]:
        """The options that the environment sets, each with its ``SIGNER_…`` variable.

        Any other variable changes nothing: there is no such option, or it may not touch it, or an argument wins.
        """
        known = CORE_FIELDS | option_fields(config_class).keys() | {"backend"}
        return {
            option: _variable(option)
            for option in self.environment
            if option in known and option not in self.arguments and not self._protects(option)
        }

    def warn_of_powerless_variables(self) -> None:
        """Log the variables that try to change what the environment may not touch: somebody may count on them."""
        if powerless := [_variable(option) for option in self.environment if self._protects(option)]:
            _logger.warning("%s: ignored, this is set in %s only", ", ".join(powerless), self.source)

    def reopening(self, config: object) -> dict[str, object]:
        """The mapping that opens the same signer anywhere: all that was given, paths and references made absolute."""
        given = self._given(frozenset({*CORE_OPTIONS, *option_fields(type(config))}))
        return {**portable(config, given), "backend": self.backend}

    def _given(self, names: Iterable[str]) -> dict[str, object]:
        """What was configured of the options ``names``: arguments before environment before table."""
        environment = {option: text for option, text in self.environment.items() if not self._protects(option)}
        merged: dict[str, object] = {**self.table, **environment, **self.arguments}
        return {name: merged[name] for name in names if name in merged}

    def _protects(self, option: str) -> bool:
        """Whether the environment may not set the option: it guards the key, or chooses another one."""
        protects = option in _PROTECTED or option.startswith(_PROTECTED_PREFIXES)
        return protects or (option == "backend" and "backend" in self.table)

    def _build(self, config_class: type[T], names: Iterable[str]) -> T:
        conversion = Conversion(self.directory, self.prompt)
        return build(config_class, self._given(names), conversion=conversion, source=self.source, origin=self._origin)

    def _origin(self, option: str) -> str:
        """Where the value of the option stands, for messages."""
        if option in self.arguments:
            return "--set"
        if option in self.environment and not self._protects(option):
            return f"the variable {_variable(option)}"
        return self.source


def check_config_class(config_class: type[Any]) -> "dict[str, attrs.Attribute[Any]]":
    """The options of a backend's configuration class, if it is what the contract asks for.

    Raises :class:`PluginContractError`.
    """
    fields = option_fields(config_class)
    if taken := CORE_OPTIONS & fields.keys():
        raise PluginContractError(
            f"{config_class.__module__}.{config_class.__qualname__} has options that the core has too: "
            f"{', '.join(sorted(taken))}",
            remedy="its author must rename them",
        )
    return fields


def _variable(option: str) -> str:
    return ENVIRONMENT_PREFIX + option.upper()
