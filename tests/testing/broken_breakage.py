"""Backends that fail otherwise than they should."""

import time

from signer_core import Deadline
from signer_core.errors import BackendUnavailableError, KeyUnavailableError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import DOWN, Key, SoundBackend

LATE = 0.6  # seconds: longer than the timeout and the grace of kit_runs.py


@noticed_by("test_broken")
class outage_as_foreign_exception(SoundBackend):
    class key_class(Key):
        def reach(self) -> None:
            if DOWN.is_set():
                raise ConnectionRefusedError


@noticed_by("test_broken")
class outage_as_another_error(SoundBackend):
    class key_class(Key):
        def reach(self) -> None:
            if DOWN.is_set():
                raise KeyUnavailableError("it is down")


@noticed_by("test_broken")
class outage_that_is_hidden(SoundBackend):
    """It signs and opens with what it has kept."""

    class key_class(Key):
        def reach(self) -> None:
            pass


@noticed_by("test_broken")
class spoilt_by_outage(SoundBackend):
    class key_class(Key):
        spoilt = False

        def reach(self) -> None:
            self.spoilt = self.spoilt or DOWN.is_set()
            if self.spoilt:
                raise BackendUnavailableError("it is down")


@noticed_by("test_broken_ends_in_time", "test_cancelled_while_broken")
class retries_of_its_own(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            until = time.monotonic() + LATE
            while DOWN.is_set() and time.monotonic() < until:
                time.sleep(0.01)
            return super().sign(message, deadline)
