"""What must hold of the calls that an extension watches."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from signer_core.errors import (
    BackendUnavailableError,
    DeadlineExceededError,
    KeyUnavailableError,
    PolicyViolationError,
    SignCancelledError,
    SignError,
)
from signer_core.extension_plugin import ConfiguredExtension
from signer_core.hooks import hooks_of
from signer_core.hookspecs import AttachedHooks, SignEvent
from signer_core.signer import Signer
from signer_core.testing.extension_fixtures import ExtensionFixtures, watched_by
from signer_core.testing.fixtures import PATIENCE
from signer_core.testing.forked import signed_by_child
from signer_core.testing.outcomes import assert_good, ended, refused
from signer_core.testing.recording_key import RecordingKey

THREADS = 32


class ExtensionCalls(ExtensionFixtures):
    """Tests of messages that are signed, or not, with the extension attached."""

    def test_approved_message_is_signed(self, signer: Signer, key: RecordingKey, message: bytes) -> None:
        """A message that the extension approves is signed once, and its signature comes out as the key made it."""
        assert [signer.sign(message), *key.signatures] == key.signatures * 2
        assert_good(signer, key.signatures[0], message)

    @pytest.mark.parametrize("size", [0, 1, 4096, 1024 * 1024])
    def test_messages_of_any_size(self, signer: Signer, size: int) -> None:
        """A message of whatever size is signed, or refused with PolicyViolationError; the empty one too."""
        message = b"m" * size
        assert_good(signer, ended(lambda: signer.sign(message), PolicyViolationError), message)

    @pytest.mark.parametrize("content", [bytes(range(256)), b"\xff\xfe\x00", b'{"a": [', "é".encode("latin-1")])
    def test_messages_of_any_content(self, signer: Signer, content: bytes) -> None:
        """A message of whatever content is signed, or refused with PolicyViolationError: text, JSON, or neither."""
        assert_good(signer, ended(lambda: signer.sign(content), PolicyViolationError), content)

    @pytest.mark.parametrize(
        "kind", [KeyUnavailableError, BackendUnavailableError, DeadlineExceededError, SignCancelledError]
    )
    def test_error_of_the_key_comes_out(
        self, signer: Signer, key: RecordingKey, message: bytes, kind: type[SignError]
    ) -> None:
        """Where there is no signature, the error that says why comes out: ``signer_after_sign`` is told of it, with
        None for the signature.
        """
        key.error = kind("no signature")
        assert refused(kind, lambda: signer.sign(message)) is key.error
        assert not getattr(key.error, "__notes__", ()), "signer_after_sign failed when it was told of an error"

    def test_message_that_is_not_there(self, configured: ConfiguredExtension, key: RecordingKey) -> None:
        """An extension with ``needs_message=False`` can do without: it approves of a digest or refuses it with
        PolicyViolationError, and records the outcome.
        """
        if configured.plugin.extension.needs_message:
            return  # then the core lets nothing but whole messages be signed
        event = SignEvent(
            signer=None,
            backend=None,
            key_id=key.key_id,
            public_key=key.public_key,
            message=None,
            prehashed=("sha384", bytes(48)),
            started_at=time.time(),
        )
        attached = configured.attach()
        try:
            hooks = hooks_of(attached.attached, AttachedHooks, configured.plugin.broken)
            refusal = ended(lambda: hooks.signer_before_sign(event=event), PolicyViolationError)
            signature, error = (None, refusal) if isinstance(refusal, PolicyViolationError) else (b"signature", None)
            hooks.signer_after_sign(event=event, signature=signature, error=error)
        finally:
            attached.close()

    def test_threads(self, signer: Signer, key: RecordingKey, message: bytes) -> None:
        """32 threads that sign at once each get their signatures."""
        together = threading.Barrier(THREADS)

        def sign(_: int) -> list[bytes]:
            together.wait(PATIENCE)
            return [signer.sign(message) for _ in range(3)]

        with ThreadPoolExecutor(THREADS) as executor:
            signatures = [each for several in executor.map(sign, range(THREADS)) for each in several]
        assert sorted(signatures) == sorted(key.signatures)

    def test_async(self, signer: Signer, key: RecordingKey, message: bytes) -> None:
        """Calls of ``sign_async`` that are awaited together get their signatures."""

        async def sign() -> list[bytes]:
            return await asyncio.gather(*(signer.sign_async(message) for _ in range(8)))

        assert sorted(asyncio.run(sign())) == sorted(key.signatures)

    if hasattr(os, "fork"):

        def test_fork(self, signer: Signer, message: bytes) -> None:
            """A child after ``fork`` signs with the signer of its parent, and the parent goes on."""
            assert_good(signer, signed_by_child(signer, message), message)
            assert_good(signer, signer.sign(message), message)

    def test_closing_one_signer_leaves_the_others(
        self, signer: Signer, configured: ConfiguredExtension, message: bytes
    ) -> None:
        """Each signer has an extension of its own: who closes one takes nothing from the others."""
        with watched_by(configured, RecordingKey()) as other:
            assert_good(other, other.sign(message), message)
        assert_good(signer, signer.sign(message), message)

    def test_closing(self, configured: ConfiguredExtension) -> None:
        """A signer that has signed nothing closes well, too."""
        watched_by(configured, RecordingKey()).close()


class Refusals(ExtensionFixtures):
    """Tests of an extension that refuses; they need the fixture ``refused_message``."""

    def test_refusal(self, signer: Signer, key: RecordingKey, refused_message: bytes, message: bytes) -> None:
        """A refusal is a PolicyViolationError, before the key is asked, and takes nothing from the calls after it."""
        refused(PolicyViolationError, lambda: signer.sign(refused_message))
        assert key.signatures == []
        assert_good(signer, signer.sign(message), message)

    def test_refusal_in_a_batch(self, signer: Signer, refused_message: bytes, message: bytes) -> None:
        """A message among others is refused as it is alone."""
        messages: list[Any] = [message, refused_message, message]
        refused(PolicyViolationError, lambda: signer.sign_many(messages))
