"""Backends that do something wrong with digests."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core import Deadline, PublicKey
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend


class EcdsaKey(Key):
    """One that keeps its promises."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.private = ec.derive_private_key(int.from_bytes(config.name.encode(), "big"), ec.SECP256R1())

    @property
    def public_key(self) -> PublicKey:
        return PublicKey.from_cryptography(self.private.public_key())

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        return self.private.sign(message, ec.ECDSA(SHA256()))

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        return self.private.sign(digest, ec.ECDSA(Prehashed(SHA256())))


@noticed_by("test_digest", "test_key_is_given_a_digest_and_returns_bytes")
class digest_of_the_digest(SoundBackend):
    class key_class(EcdsaKey):
        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            return self.sign(digest, deadline)


@noticed_by("test_key_is_given_a_digest_and_returns_bytes")
class digest_that_is_signed_as_a_message(SoundBackend):
    """Ed25519 signs no digests, and who verifies what comes of this verifies something else."""

    class key_class(Key):
        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            return self.sign(digest, deadline)


@noticed_by("test_digest")
class digest_not_signed_after_all(SoundBackend):
    class key_class(EcdsaKey):
        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            raise NotImplementedError


@noticed_by("test_digest_when_the_time_is_over")
class timeout_of_nothing_for_a_digest(SoundBackend):
    class key_class(EcdsaKey):
        def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
            if deadline.remaining() == 0:
                raise ValueError("a timeout must be more than 0 seconds")
            return super().sign_digest(digest, deadline)
