"""What must hold of opening and making keys."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from signer_core.errors import KeyNotFoundError, SignerError
from signer_core.factory import create_signer, create_signer_async, init_signer
from signer_core.hookspecs import SigningKey
from signer_core.plugins import BackendPlugin
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.fixtures import Config, Fixtures, options_of, secrets_of
from signer_core.testing.outcomes import assert_good, refused
from signer_core.testing.secrecy import assert_hidden, logged, told


class Openings(Fixtures):
    """Tests of opening a key that exists."""

    def test_init_changes_nothing(self, config: Config, signer: Signer, key: SigningKey) -> None:
        """``init_signer`` of a key that exists opens that key, however often."""
        for _ in range(2):
            with init_signer(config) as again:
                assert_good(again, again.sign(b"message"))
                if key.reopens:
                    assert (again.key_id, again.public_key) == (signer.key_id, signer.public_key), (
                        "signer_init must open a key that exists, and make none: do what signer_open does"
                    )

    def test_opening_async(self, config: Config) -> None:
        """``create_signer_async`` opens the key inside of an event loop."""

        async def sign() -> None:
            async with await create_signer_async(config) as signer:
                assert_good(signer, await signer.sign_async(b"message"))

        asyncio.run(sign())


class MissingKey(Fixtures):
    """Tests of a key that does not exist; they need the fixture ``missing_config``."""

    def test_missing_key(self, missing_config: Config, plugin: BackendPlugin) -> None:
        """Opening a key that does not exist is KeyNotFoundError, which shows no secret, and does not make it."""
        error = refused(KeyNotFoundError, lambda: create_signer(missing_config))
        assert_hidden(secrets_of(options_of(missing_config, plugin)), "the error", told(error))
        refused(KeyNotFoundError, lambda: create_signer(missing_config))

    def test_missing_key_that_is_pinned(self, missing_config: Config) -> None:
        """``init_signer`` with a pin never makes a key: the one that is expected is lost, not yet to be made."""
        refused(KeyNotFoundError, lambda: init_signer({**missing_config, "expected_address": "00" * 32}))
        refused(KeyNotFoundError, lambda: create_signer(missing_config))

    def test_init_makes_a_missing_key(self, missing_config: Config, plugin: BackendPlugin) -> None:
        """``init_signer`` makes a key that does not exist, once, and it is there afterwards; KeyNotFoundError where the
        backend makes no keys.
        """
        if not plugin.makes_keys:
            refused(KeyNotFoundError, lambda: init_signer(missing_config))
            return
        with init_signer(missing_config) as made:
            assert_good(made, made.sign(b"message"))
            for open_again in (init_signer, create_signer):
                with open_again(missing_config) as again:
                    assert (again.key_id, again.public_key) == (made.key_id, made.public_key), "another key was made"


class WrongSecret(Fixtures):
    """Tests of a secret that does not open the key; they need the fixture ``wrong_secret_config``."""

    def test_wrong_secret(
        self,
        wrong_secret_config: Config,
        plugin: BackendPlugin,
        secrets: Mapping[str, Secret],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A wrong secret is a SignerError, which shows neither the wrong nor the right one, and neither do the logs."""
        given = secrets_of(options_of(wrong_secret_config, plugin))
        with caplog.at_level(logging.DEBUG):
            error = refused(SignerError, lambda: create_signer(wrong_secret_config))
        for shown in (secrets, given):
            assert_hidden(shown, "the error", told(error))
            assert_hidden(shown, "the log", logged(caplog))
