"""What an extension must never show."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from signer_core.errors import PolicyViolationError
from signer_core.extension_plugin import ConfiguredExtension
from signer_core.secrets import Secret
from signer_core.testing.extension_fixtures import ExtensionConfig, ExtensionFixtures, configured_with, watched_by
from signer_core.testing.outcomes import ended
from signer_core.testing.recording_key import RecordingKey
from signer_core.testing.secrecy import assert_hidden, assert_wrong_options_hide, logged, pickled, told


class ExtensionSecrecy(ExtensionFixtures):
    """Tests that look for the configured secrets where they must not be."""

    def test_nothing_secret_in_reprs_and_pickles(
        self, options: Any, configured: ConfiguredExtension, secrets: Mapping[str, Secret]
    ) -> None:
        """No ``repr``, ``str`` or pickle of what is attached shows a secret; no ``repr`` or ``str`` of the options."""
        extension = configured.attach()
        try:
            assert_hidden(secrets, "the repr of the options", f"{options!r} {options}")
            assert_hidden(secrets, "the repr of what is attached", f"{extension.attached!r} {extension.attached}")
            assert_hidden(secrets, "the pickle of what is attached", pickled(extension.attached))
        finally:
            extension.close()

    def test_nothing_secret_in_logs(
        self,
        configured: ConfiguredExtension,
        message: bytes,
        secrets: Mapping[str, Secret],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Nothing that is logged while the extension is attached, asked and closed shows a secret, at whatever level;
        and nothing that is printed.
        """
        with caplog.at_level(logging.DEBUG), watched_by(configured, RecordingKey()) as signer:
            signer.sign(message)
            refusal = ended(lambda: signer.sign(b""), PolicyViolationError)
        assert_hidden(secrets, "the log", logged(caplog))
        assert_hidden(secrets, "what was printed", "\n".join(capfd.readouterr()))
        if isinstance(refusal, PolicyViolationError):
            assert_hidden(secrets, "the refusal", told(refusal))

    def test_nothing_secret_in_errors(
        self, config: ExtensionConfig, options: Any, secrets: Mapping[str, Secret]
    ) -> None:
        """An option of a wrong type is a ConfigError, which shows no secret; nor do the errors behind it. The same is
        true of whatever error comes of an empty one.
        """
        [(name, table)] = config.items()
        assert_wrong_options_hide(
            secrets,
            options,
            lambda wrong: watched_by(configured_with({name: {**table, **wrong}}), RecordingKey()).close(),
        )
