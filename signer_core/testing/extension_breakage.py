"""What must hold of an extension that is broken for a while."""

import logging
from collections.abc import Mapping

import pytest

from signer_core.errors import SignerError
from signer_core.extension_plugin import ConfiguredExtension
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.breakage import Breakage
from signer_core.testing.extension_fixtures import ExtensionFixtures, watched_by
from signer_core.testing.outcomes import assert_good, ended
from signer_core.testing.recording_key import RecordingKey
from signer_core.testing.secrecy import assert_hidden, logged, told


class BrokenExtension(ExtensionFixtures):
    """Tests of an extension that is broken; they need the fixture ``breakage``."""

    def test_broken(
        self,
        *,
        signer: Signer,
        configured: ConfiguredExtension,
        breakage: Breakage,
        message: bytes,
        secrets: Mapping[str, Secret],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """What a broken extension cannot do is the error that the breakage leads to, and no signature; without anything
        secret in it or in the log. When it works again, so do its signers.
        """
        kind, broken = breakage
        with caplog.at_level(logging.DEBUG):
            with broken:
                signed = ended(lambda: signer.sign(message), kind)
                attached = ended(lambda: watched_by(configured, RecordingKey()).close(), kind)
            errors = [each for each in (signed, attached) if isinstance(each, SignerError)]
            assert errors, f"neither signing nor attaching raised {kind.__name__}: `breakage` has broken nothing"
            for error in errors:
                assert_hidden(secrets, "the error", told(error))
            assert_good(signer, signed, message)
            assert_good(signer, signer.sign(message), message)
        assert_hidden(secrets, "the log", logged(caplog))
