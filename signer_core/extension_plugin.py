"""From the name of an extension to its plugin: found, loaded, held to the contract, attached."""

from typing import TYPE_CHECKING, Any, NamedTuple

from importlib_metadata import EntryPoint

from signer_core.attached import Attached
from signer_core.config_class import option_fields
from signer_core.distributions import the_one
from signer_core.hookspecs import EXTENSIONS_GROUP, Extension, ExtensionHooks
from signer_core.plugin import Plugin

if TYPE_CHECKING:
    from signer_core.extension_settings import ExtensionSettings


class ExtensionPlugin(Plugin):
    """The plugin of one extension."""

    kind = "extension"
    group = EXTENSIONS_GROUP
    specifications = ExtensionHooks
    required = "signer_extension", "signer_attach"

    def __init__(self, entry_point: EntryPoint) -> None:
        super().__init__(entry_point)
        self.extension = self.describe(Extension, "signer_extension")

    def check_options(self) -> None:
        """Hold the options to what an extension's may be: they stand in a table of their own, under any names."""
        with self.blamed():
            option_fields(self.extension.config_class)

    def configure(self, settings: "ExtensionSettings") -> "ConfiguredExtension":
        """The extension with its configured options. Raises :class:`ConfigError`."""
        with self.blamed():
            return ConfiguredExtension(self, settings, settings.config(self.extension.config_class))

    def attach(self, config: object) -> Attached:
        """Attach it to one signer."""
        attached = self.ask(object, "signer_attach", config=config)
        return Attached(self.name, attached, self.broken, needs_message=self.extension.needs_message)


class ConfiguredExtension(NamedTuple):
    """An extension that a configuration lists, ready to be attached."""

    plugin: ExtensionPlugin
    settings: "ExtensionSettings"
    #: An instance of the extension's ``config_class``.
    config: Any

    def attach(self) -> Attached:
        """Attach it to one signer."""
        return self.plugin.attach(self.config)

    def reopening(self) -> dict[str, object]:
        """The table that configures it so anywhere."""
        return self.settings.reopening(self.config)


def load_extension(name: str) -> ExtensionPlugin:
    """The plugin of the extension ``name``; nothing else is imported.

    Raises :class:`PluginError` where it is not installed or claimed twice, or :class:`PluginContractError`.
    """
    return ExtensionPlugin(the_one(EXTENSIONS_GROUP, name))
