"""What the tests of the kit are given."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest

from signer_core.config import read
from signer_core.deadline import Deadline
from signer_core.factory import create_signer
from signer_core.hookspecs import SigningKey
from signer_core.plugins import BackendPlugin, load_backend
from signer_core.secrets import Secret
from signer_core.signer import Signer

Config = Mapping[str, Any]

#: Seconds in which anything that is not meant to wait must be done, on a slow machine too.
PATIENCE = 60.0


class Fixtures:
    """The fixtures of every test of the kit; all but ``config``, which the backend's author brings."""

    grace: float = 1.0

    @pytest.fixture(scope="class")
    @classmethod
    def shared_config(cls, request: pytest.FixtureRequest) -> Config | None:
        """``config``, if it lives as long as the class; else None."""
        try:
            config: Config = request.getfixturevalue("config")
        except pytest.fail.Exception:  # pytest's answer to a scope that is too small
            return None
        return config

    @pytest.fixture(scope="class")
    @classmethod
    def shared_signer(cls, shared_config: Config | None) -> Iterator[Signer | None]:
        """One signer for the tests that only use it: opening may be slow by design."""
        if shared_config is None:
            yield None
            return
        with create_signer(shared_config) as signer:
            yield signer

    @pytest.fixture(scope="class")
    @classmethod
    def shared_key(cls, shared_config: Config | None) -> Iterator[SigningKey | None]:
        """One key as the plugin opens it."""
        if shared_config is None:
            yield None
            return
        key = _opened(shared_config)
        yield key
        key.close()

    @pytest.fixture
    def signer(self, config: Config, shared_signer: Signer | None) -> Iterator[Signer]:
        """A signer to use, not to close."""
        if shared_signer is not None:
            yield shared_signer
            return
        with create_signer(config) as signer:
            yield signer

    @pytest.fixture
    def own_signer(self, config: Config) -> Iterator[Signer]:
        """A signer of the test's own."""
        with create_signer(config) as signer:
            yield signer

    @pytest.fixture
    def key(self, config: Config, shared_key: SigningKey | None) -> Iterator[SigningKey]:
        """The key as the plugin opens it, without what the core adds; to use, not to close."""
        if shared_key is not None:
            yield shared_key
            return
        key = _opened(config)
        yield key
        key.close()

    @pytest.fixture
    def plugin(self, config: Config) -> BackendPlugin:
        """The plugin that serves the backend."""
        return load_backend(config["backend"])

    @pytest.fixture
    def options(self, config: Config, plugin: BackendPlugin) -> Any:
        """The configuration as an instance of the plugin's own class."""
        return options_of(config, plugin)

    @pytest.fixture
    def secrets(self, options: Any) -> Mapping[str, Secret]:
        """What must never show, by name."""
        return secrets_of(options)


def secrets_of(options: Any) -> dict[str, Secret]:
    """The options that are secrets, and the texts that ``repr`` is not to show."""
    found = {}
    for field in attrs.fields(type(options)):
        value = getattr(options, field.name)
        if isinstance(value, Secret):
            found[field.name] = value
        elif isinstance(value, str) and not field.repr:
            found[field.name] = Secret(value.encode())
    return found


def options_of(config: Config, plugin: BackendPlugin) -> Any:
    """The configuration as an instance of the plugin's own class."""
    return read(config).backend_config(plugin.backend.config_class)


def _opened(config: Config) -> SigningKey:
    plugin = load_backend(config["backend"])
    return plugin.open(options_of(config, plugin), Deadline.after(PATIENCE))
