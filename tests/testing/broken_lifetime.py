"""Backends that do not end when they should."""

import time
from typing import Any

from signer_core import Deadline, SigningKey, hookimpl
from signer_core.errors import BackendUnavailableError, SignCancelledError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend

LATE = 0.6  # seconds: longer than the timeout and the grace of kit_runs.py


@noticed_by("test_timeout")
class ignored_deadline(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if (deadline.remaining() or 60) < 1:
                time.sleep(LATE)
            return super().sign(message, deadline)


@noticed_by("test_closing_one_signer_leaves_the_others")
class close_that_closes_for_all(SoundBackend):
    class key_class(Key):
        closed = False

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            type(self).closed = False  # a new connection, which all keys share

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if self.closed:
                raise BackendUnavailableError("the connection is closed")
            return super().sign(message, deadline)

        def close(self) -> None:
            type(self).closed = True


@noticed_by("test_close_twice", "test_use_after_close")
class close_that_fails(SoundBackend):
    class key_class(Key):
        def close(self) -> None:
            raise OSError("already closed")


@noticed_by("test_opening_timeout")
class ignored_deadline_at_opening(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any, deadline: Deadline) -> SigningKey:  # type: ignore[override]
        if deadline.remaining() is not None:
            time.sleep(LATE)
        return super().signer_open(config)


@noticed_by("test_deadline_that_is_over")
class timeout_of_nothing(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if deadline.remaining() == 0:
                raise ValueError("a timeout must be more than 0 seconds")  # as HTTP clients have it
            return super().sign(message, deadline)


@noticed_by("test_no_limit")
class limit_that_must_be_there(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            assert deadline.remaining() > 0  # type: ignore[operator]
            return super().sign(message, deadline)


@noticed_by("test_long_timeout")
class limit_of_the_backend_s_own(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if (deadline.remaining() or 0) > 30:
                raise BackendUnavailableError("the lease is 30 seconds at most")
            return super().sign(message, deadline)


@noticed_by("test_cancelled_before", "test_cancelled_during")
class cancellation_as_foreign_exception(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            try:
                deadline.sleep(5)
            except SignCancelledError as error:
                raise InterruptedError from error
            return super().sign(message, deadline)


@noticed_by("test_opening_cancelled_before")
class opening_cancelled_as_foreign_exception(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any, deadline: Deadline) -> SigningKey:  # type: ignore[override]
        try:
            deadline.check()
        except SignCancelledError as error:
            raise InterruptedError from error
        return super().signer_open(config)


@noticed_by("test_cancelled_during")
class spoilt_by_cancellation(SoundBackend):
    class key_class(Key):
        spoilt = False

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if self.spoilt:
                raise BackendUnavailableError("the answer to the last request is still on its way")
            self.spoilt = True
            deadline.sleep(5)
            self.spoilt = False
            return super().sign(message, deadline)
