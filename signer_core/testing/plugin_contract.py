"""What must hold of every plugin, whether of a backend or of an extension."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Any

import attrs
import pytest

from signer_core.plugin import Plugin
from signer_core.testing import watched as program
from signer_core.testing.fixtures import PATIENCE


class PluginContract:
    """Tests of what a plugin says of itself, and of what that costs."""

    quick_imports: Collection[str] = ()

    @pytest.fixture
    def watched(self, plugin: Plugin) -> Mapping[str, list[str]]:
        """What loading the plugin imports, and what describing itself touches, in a process of its own."""
        answer = subprocess.run(  # noqa: S603 — our own script
            [sys.executable, program.__file__, json.dumps(sys.path), plugin.group, plugin.name, plugin.required[0]],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert answer.returncode == 0, answer.stderr
        seen: Mapping[str, list[str]] = json.loads(answer.stdout)
        return seen

    def test_configuration_is_frozen(self, options: Any) -> None:
        """The configuration class is a frozen attrs class."""
        assert attrs.has(type(options)), "make it with @attrs.frozen(kw_only=True)"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            options.anything = "another"

    def test_signer_commands(self, plugin: Plugin) -> None:
        """``signer_commands``, if there is one, gives a click group."""
        import click

        assert isinstance(plugin.commands(), click.Group | None)

    def test_describing_touches_nothing(self, plugin: Plugin, watched: Mapping[str, list[str]]) -> None:
        """``signer_backend`` (``signer_extension``) opens no file and no connection and starts no process. (Importing
        modules is fine.)
        """
        describing, opening = plugin.required
        assert watched["touched"] == [], f"{describing} touched this: leave it to {opening}"

    def test_loading_imports_no_sdk(self, plugin: Plugin, watched: Mapping[str, list[str]]) -> None:
        """Loading the plugin and ``signer_backend`` (``signer_extension``) import nothing but the plugin itself, the
        standard library, and what the core has imported anyway: an SDK costs time, which nobody should spend before it
        is needed.
        """
        assert set(watched["imported"]) <= set(self.quick_imports), (
            f"import them where they are used, in {plugin.required[1]}; or name those that take no time in "
            "`quick_imports`"
        )
