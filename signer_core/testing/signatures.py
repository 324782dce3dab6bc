"""What must hold of every signature."""

import pytest

from signer_core.algorithms import FACTS
from signer_core.deadline import Deadline
from signer_core.errors import InvalidSignatureError, MessageTooLargeError
from signer_core.hookspecs import SigningKey
from signer_core.signer import Signer
from signer_core.testing.fixtures import PATIENCE, Fixtures
from signer_core.testing.outcomes import assert_good, refused

LARGE = 1024 * 1024


class Signatures(Fixtures):
    """Tests of what ``sign`` returns, and for which messages."""

    def test_signature_verifies(self, signer: Signer) -> None:
        """A signature is bytes, and verifies with the signer's public key over the message that was signed."""
        assert_good(signer, signer.sign(b"message"))

    def test_signature_belongs_to_its_message(self, signer: Signer) -> None:
        """A signature over one message does not verify over another."""
        signature = signer.sign(b"message")
        refused(InvalidSignatureError, lambda: signer.public_key.verify(signature, b"massage"))

    def test_signing_twice(self, signer: Signer) -> None:
        """Signing a message twice gives two right signatures, and the same one where the algorithm is deterministic."""
        first, second = signer.sign(b"message"), signer.sign(b"message")
        assert_good(signer, first)
        assert_good(signer, second)
        if FACTS[signer.algorithm].deterministic:
            assert first == second, f"{signer.algorithm.value} is deterministic: its nonce follows from key and message"

    @pytest.mark.parametrize("size", [0, 1, 256, 4096])
    def test_small_messages(self, signer: Signer, size: int) -> None:
        """A message of any size up to 4096 bytes is signed, the empty one too."""
        message = bytes(range(256))[:size] * max(1, size // 256)
        assert_good(signer, signer.sign(message), message)

    def test_large_messages(self, signer: Signer, key: SigningKey) -> None:
        """A message as large as the key's limit is signed, or one of 1 MiB without a limit; a larger one than the limit
        is refused before the backend sees it.
        """
        limit = key.max_message_bytes
        message = b"m" * (LARGE if limit is None else limit)
        assert_good(signer, signer.sign(message), message)
        if limit is not None:
            error = refused(MessageTooLargeError, lambda: signer.sign(message + b"m"))
            assert (error.limit, error.size) == (limit, limit + 1)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_kinds_of_messages(self, signer: Signer, kind: type[bytes | bytearray | memoryview]) -> None:
        """A message may be bytes, a bytearray or a memoryview, and is the same message in each form."""
        assert_good(signer, signer.sign(kind(b"message")))

    def test_key_is_given_bytes_and_returns_bytes(self, key: SigningKey) -> None:
        """The plugin's own ``sign`` returns a right signature as bytes, not as some other buffer."""
        assert_good(key, key.sign(b"message", Deadline.after(PATIENCE)))

    def test_signing_many(self, signer: Signer) -> None:
        """The signatures of a batch are in the order of its messages."""
        messages = [b"message %d" % number for number in range(8)]
        signatures = signer.sign_many(messages)
        assert len(signatures) == len(messages)
        for signature, message in zip(signatures, messages, strict=True):
            assert_good(signer, signature, message)
