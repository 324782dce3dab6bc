"""What must hold of the hooks of an extension."""

from signer_core.extension_plugin import ExtensionPlugin
from signer_core.hookspecs import CONTRACT, Extension
from signer_core.testing.extension_fixtures import ExtensionFixtures
from signer_core.testing.plugin_contract import PluginContract


class ExtensionContract(PluginContract, ExtensionFixtures):
    """Tests of what the hooks answer."""

    def test_signer_extension(self, plugin: ExtensionPlugin) -> None:
        """``signer_extension`` describes the extension for this version of the contract, with options that can be."""
        assert isinstance(plugin.extension, Extension)
        assert plugin.extension.contract == CONTRACT
        plugin.check_options()
