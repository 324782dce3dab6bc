"""What must hold of the hooks of a backend."""

from typing import Any

from signer_core.deadline import Deadline
from signer_core.hookspecs import CONTRACT, Backend, SigningKey, Verdict
from signer_core.plugins import BackendPlugin
from signer_core.testing.fixtures import PATIENCE, Fixtures
from signer_core.testing.plugin_contract import PluginContract


class Contract(PluginContract, Fixtures):
    """Tests of what the hooks answer."""

    def test_signer_backend(self, plugin: BackendPlugin) -> None:
        """``signer_backend`` describes the backend for this version of the contract, with at least one algorithm."""
        assert isinstance(plugin.backend, Backend)
        assert plugin.backend.contract == CONTRACT
        assert plugin.backend.algorithms, "name at least one of the algorithms of its keys"

    def test_facts_of_the_key(self, key: SigningKey) -> None:
        """``max_message_bytes`` and ``concurrency`` are whole numbers above 0 or None, ``renew_after`` seconds above 0
        or None, ``reopens`` a bool.
        """
        for number in (key.max_message_bytes, key.concurrency):
            assert number is None or (type(number) is int and number > 0)
        renew_after: Any = key.renew_after
        assert renew_after is None or (isinstance(renew_after, int | float) and renew_after > 0)
        assert type(key.reopens) is bool

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
