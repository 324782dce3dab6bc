"""A key that tells when an attempt has begun."""

import threading

from signer_core.deadline import Deadline
from signer_core.hookspecs import SigningKey
from signer_core.public_key import PublicKey


class WatchedKey(SigningKey):
    """``key``, which belongs to somebody else; the event ``begun`` is set by each attempt."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.begun = threading.Event()

    @property
    def key_id(self) -> str:
        """The key's."""
        return self.key.key_id

    @property
    def public_key(self) -> PublicKey:
        """The key's."""
        return self.key.public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """Set the event, and sign."""
        self.begun.set()
        return self.key.sign(message, deadline)
