"""A key in memory that writes down what it has signed."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core.deadline import Deadline
from signer_core.errors import SignError
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey


class RecordingKey(SigningKey):
    """An Ed25519 key, always the same, for tests of what stands before it; ``error`` is what it raises instead."""

    def __init__(self) -> None:
        self._private_key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self._public_key = PublicKey.from_cryptography(self._private_key.public_key())
        self.signatures: list[bytes] = []
        self.error: SignError | None = None

    @property
    def key_id(self) -> str:
        """A name."""
        return "recording-key"

    @property
    def public_key(self) -> PublicKey:
        """The key's public half."""
        return self._public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """Sign, or raise ``error``."""
        if self.error is not None:
            raise self.error
        signature = self._private_key.sign(message)
        self.signatures.append(signature)
        return signature
