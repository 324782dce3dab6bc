"""What must hold of a backend that is broken for a while."""

import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager

import pytest

from signer_core.errors import DeadlineExceededError, SignCancelledError, SignerError
from signer_core.factory import create_signer
from signer_core.hookspecs import SigningKey
from signer_core.secrets import Secret
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Config, Fixtures
from signer_core.testing.lifetime import TIMEOUT
from signer_core.testing.outcomes import assert_good, ended, in_time, outcome, started
from signer_core.testing.secrecy import assert_hidden, logged, told
from signer_core.testing.watched_key import WatchedKey

#: The error that it leads to, and what breaks the backend as long as it is entered.
#: The error that is expected, and what breaks the backend for as long as it is entered.
Breakage = tuple[type[SignerError], AbstractContextManager[object]]


class Broken(Fixtures):
    """Tests of a backend that is broken; they need the fixture ``breakage``."""

    def test_broken(
        self, config: Config, breakage: Breakage, secrets: Mapping[str, Secret], caplog: pytest.LogCaptureFixture
    ) -> None:
        """What a broken backend cannot do is the error that the breakage leads to, without anything secret in it or in
        the log. When it works again, so do the signers.
        """
        kind, broken = breakage
        timeout = TIMEOUT if issubclass(kind, DeadlineExceededError) else PATIENCE
        once = {**config, "max_retries": 0}
        with caplog.at_level(logging.DEBUG), create_signer(once) as signer:
            with broken:
                signed = ended(lambda: signer.sign(b"message", timeout=timeout), kind)
                opened = ended(lambda: create_signer(once, timeout=timeout).close(), kind)
            errors = [each for each in (signed, opened) if isinstance(each, SignerError)]
            assert errors, f"neither signing nor opening raised {kind.__name__}: `breakage` has broken nothing"
            for error in errors:
                assert_hidden(secrets, "the error", told(error))
            assert_good(signer, signed)
            assert_good(signer, signer.sign(b"message"))
            create_signer(config).close()
        assert_hidden(secrets, "the log", logged(caplog))

    def test_broken_ends_in_time(self, config: Config, own_signer: Signer, breakage: Breakage) -> None:
        """Calls with a short timeout have ended by then, however often they are tried again, and however a broken
        backend behaves.
        """
        kind, broken = breakage
        limit = TIMEOUT + self.grace
        with broken:
            in_time(
                limit, lambda: ended(lambda: own_signer.sign(b"message", timeout=TIMEOUT), kind, DeadlineExceededError)
            )
            in_time(
                limit,
                lambda: ended(lambda: create_signer(config, timeout=TIMEOUT).close(), kind, DeadlineExceededError),
            )

    def test_cancelled_while_broken(self, key: SigningKey, breakage: Breakage) -> None:
        """A call that is called off while a broken backend is tried again and again ends when its attempt does."""
        kind, broken = breakage
        watched = WatchedKey(key)
        signer = Signer(watched, attempt_timeout=TIMEOUT, max_retries=1000)

        def call_off() -> object:
            cancel = threading.Event()
            watched.begun.clear()
            signing = started(lambda: ended(lambda: signer.sign(b"message", cancel=cancel), kind, SignCancelledError))
            watched.begun.wait(PATIENCE)
            cancel.set()
            return outcome(signing)

        with broken:
            assert_good(signer, in_time(TIMEOUT + self.grace, call_off))
