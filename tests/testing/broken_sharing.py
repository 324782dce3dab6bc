"""Backends whose keys cannot be shared."""

import os
import threading
from typing import Any

from signer_core import Deadline
from signer_core.errors import BackendUnavailableError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend


@noticed_by("test_threads", "test_async", "test_signing_many", "test_close_during_use", "test_opening_async")
class signature_that_depends_on_the_thread(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return super().sign(message if threading.current_thread() is self.opener else b"", deadline)


@noticed_by("test_threads")
class message_kept_in_the_key(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            self.message = message
            threading.Event().wait(0.001)  # as any backend that waits for an answer
            return super().sign(self.message, deadline)


@noticed_by("test_fork")
class useless_after_fork(SoundBackend):
    class key_class(Key):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.process = os.getpid()

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if os.getpid() != self.process:
                raise BackendUnavailableError("the connection belongs to another process")
            return super().sign(message, deadline)
