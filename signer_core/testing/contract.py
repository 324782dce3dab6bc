"""What must hold of the hooks of a plugin."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from signer_core.deadline import Deadline
from signer_core.hookspecs import BACKENDS_GROUP, CONTRACT, Backend, SigningKey, Verdict
from signer_core.plugins import BackendPlugin
from signer_core.testing import watched as program
from signer_core.testing.fixtures import PATIENCE, Config, Fixtures


class Contract(Fixtures):
    """Tests of what the hooks answer, and of what they touch."""

    @pytest.fixture
    def watched(self, config: Config) -> Mapping[str, list[str]]:
        """What loading the plugin imports, and what ``signer_backend`` touches, in a process of its own."""
        return seen(BACKENDS_GROUP, config["backend"], "signer_backend")

    def test_signer_backend(self, plugin: BackendPlugin) -> None:
        """``signer_backend`` describes the backend for this version of the contract, with at least one algorithm."""
        assert isinstance(plugin.backend, Backend)
        assert plugin.backend.contract == CONTRACT
        assert plugin.backend.algorithms, "name at least one of the algorithms of its keys"

    def test_configuration_is_frozen(self, options: Any) -> None:
        """The configuration class is a frozen attrs class."""
        assert attrs.has(type(options)), "make it with @attrs.frozen(kw_only=True)"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            options.backend = "another"

    def test_facts_of_the_key(self, key: SigningKey) -> None:
        """``max_message_bytes`` is a whole number above 0 or None, ``renew_after`` seconds above 0 or None, ``reopens``
        a bool.
        """
        limit, renew_after, reopens = (getattr(key, name) for name in ("max_message_bytes", "renew_after", "reopens"))
        assert limit is None or (type(limit) is int and limit > 0)
        assert renew_after is None or (isinstance(renew_after, int | float) and renew_after > 0)
        assert type(reopens) is bool

    def test_renewal(self, key: SigningKey) -> None:
        """``renew``, of a key that is to be renewed, returns a key; where nothing has changed, one with the same name
        and public key.
        """
        if key.renew_after is None:  # then the core never asks
            return
        renewed: Any = key.renew(Deadline.after(PATIENCE))
        assert isinstance(renewed, SigningKey)
        assert (renewed.key_id, renewed.public_key) == (key.key_id, key.public_key)
        if renewed is not key:
            renewed.close()

    def test_signer_check(self, plugin: BackendPlugin, options: Any) -> None:
        """``signer_check``, if there is one, gives verdicts; each one that did not pass has a remedy."""
        for verdict in plugin.check(options, Deadline.after(PATIENCE)):
            assert isinstance(verdict, Verdict)
            assert verdict.step, f"{verdict!r} does not say what was looked at"
            assert verdict.passed or verdict.remedy, f"{verdict.step!r} did not pass; what is to be done?"

    def test_signer_commands(self, plugin: BackendPlugin) -> None:
        """``signer_commands``, if there is one, gives a click group."""
        import click

        assert isinstance(plugin.commands(), click.Group | None)

    def test_signer_backend_touches_nothing(self, watched: Mapping[str, list[str]]) -> None:
        """``signer_backend`` opens no file and no connection and starts no process. (Importing modules is fine.)"""
        assert watched["touched"] == [], "signer_backend touched this: leave it to signer_open"

    def test_loading_imports_no_sdk(self, watched: Mapping[str, list[str]]) -> None:
        """Loading the plugin and ``signer_backend`` import nothing but the plugin itself, the standard library, and
        what the core has imported anyway: an SDK costs time, which nobody should spend before it is needed.
        """
        assert set(watched["imported"]) <= set(self.quick_imports), (
            "import them where they are used, in signer_open; or name those that cost no time in `quick_imports`"
        )


def seen(group: str, name: str, hook: str) -> Mapping[str, list[str]]:
    """What loading a plugin imports, and what its hook touches, in a process of its own: see the program."""
    answer = subprocess.run(  # noqa: S603 — our own script
        [sys.executable, program.__file__, json.dumps(sys.path), group, name, hook],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert answer.returncode == 0, answer.stderr
    found: Mapping[str, list[str]] = json.loads(answer.stdout)
    return found
