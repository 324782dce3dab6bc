"""What the tests of the kit for extensions are given."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from signer_core.config import read
from signer_core.extension_plugin import ConfiguredExtension, ExtensionPlugin
from signer_core.extensions import Extensions
from signer_core.plugins import configured_extensions
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.fixtures import secrets_of
from signer_core.testing.recording_key import RecordingKey

#: The extension's name, and its table.
ExtensionConfig = Mapping[str, Mapping[str, Any]]


class ExtensionFixtures:
    """The fixtures of every test of the kit; all but ``config``, which the extension's author brings."""

    @pytest.fixture
    def configured(self, config: ExtensionConfig) -> ConfiguredExtension:
        """The extension with its options, not yet attached."""
        return configured_with(config)

    @pytest.fixture
    def plugin(self, configured: ConfiguredExtension) -> ExtensionPlugin:
        """The plugin of the extension."""
        return configured.plugin

    @pytest.fixture
    def options(self, configured: ConfiguredExtension) -> Any:
        """The options as an instance of the plugin's own class."""
        return configured.config

    @pytest.fixture
    def secrets(self, options: Any) -> Mapping[str, Secret]:
        """What must never show, by name."""
        return secrets_of(options)

    @pytest.fixture
    def message(self) -> bytes:
        """A message that the extension lets be signed."""
        return b"message"

    @pytest.fixture
    def key(self) -> RecordingKey:
        """The key that the extension watches."""
        return RecordingKey()

    @pytest.fixture
    def signer(self, configured: ConfiguredExtension, key: RecordingKey) -> Iterator[Signer]:
        """A signer with the extension attached, and no other."""
        with watched_by(configured, key) as signer:
            yield signer


def configured_with(config: ExtensionConfig) -> ConfiguredExtension:
    """The extension as a configuration has it."""
    (configured,) = configured_extensions(read({"backend": "none", "extensions": config}))
    return configured


def watched_by(configured: ConfiguredExtension, key: RecordingKey) -> Signer:
    """A signer of ``key`` with the extension attached."""
    return Signer(key, name="kit", backend="memory", extensions=Extensions([configured.attach()]))
