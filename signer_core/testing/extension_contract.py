"""What must hold of the hooks of an extension."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from signer_core.hookspecs import CONTRACT, EXTENSIONS_GROUP, Extension
from signer_core.plugins import ExtensionPlugin
from signer_core.testing.contract import seen
from signer_core.testing.extension_fixtures import ExtensionFixtures


class ExtensionContract(ExtensionFixtures):
    """Tests of what the hooks answer, and of what they touch."""

    @pytest.fixture
    def watched(self, plugin: ExtensionPlugin) -> Mapping[str, list[str]]:
        """What loading the plugin imports, and what ``signer_extension`` touches, in a process of its own."""
        return seen(EXTENSIONS_GROUP, plugin.name, "signer_extension")

    def test_signer_extension(self, plugin: ExtensionPlugin) -> None:
        """``signer_extension`` describes the extension for this version of the contract, with options that can be."""
        assert isinstance(plugin.extension, Extension)
        assert plugin.extension.contract == CONTRACT
        plugin.check_options()

    def test_configuration_is_frozen(self, options: Any) -> None:
        """The configuration class is a frozen attrs class."""
        assert attrs.has(type(options)), "make it with @attrs.frozen(kw_only=True)"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            options.anything = "another"

    def test_signer_commands(self, plugin: ExtensionPlugin) -> None:
        """``signer_commands``, if there is one, gives a click group."""
        import click

        assert isinstance(plugin.commands(), click.Group | None)

    def test_signer_extension_touches_nothing(self, watched: Mapping[str, list[str]]) -> None:
        """``signer_extension`` opens no file and no connection and starts no process. (Importing modules is fine.)"""
        assert watched["touched"] == [], "signer_extension touched this: leave it to signer_attach"

    def test_loading_imports_no_sdk(self, watched: Mapping[str, list[str]]) -> None:
        """Loading the plugin and ``signer_extension`` import nothing but the plugin itself, the standard library, and
        what the core has imported anyway: an SDK costs time, which nobody should spend before it is needed.
        """
        assert set(watched["imported"]) <= set(self.quick_imports), (
            "import them where they are used, in signer_attach; or name those that cost no time in `quick_imports`"
        )
