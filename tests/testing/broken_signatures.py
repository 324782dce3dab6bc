"""Backends whose signatures are not right."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Deadline
from signer_core.errors import SignError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend


@noticed_by("test_signature_verifies", "test_key_is_given_bytes_and_returns_bytes", "test_close_during_use")
class wrong_signature(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            signature = super().sign(message, deadline)
            return signature[:-1] + bytes((signature[-1] ^ 1,))


@noticed_by("test_signature_verifies", "test_signing_twice", "test_timeout", "test_long_timeout")
class short_signature(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return super().sign(message, deadline)[:-1]


@noticed_by("test_signature_verifies", "test_signature_belongs_to_its_message", "test_kinds_of_messages")
class signature_of_another_message(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return super().sign(b"massage", deadline)


@noticed_by("test_key_is_given_bytes_and_returns_bytes")
class signature_in_a_buffer(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            return bytearray(super().sign(message, deadline))  # type: ignore[return-value]


@noticed_by("test_small_messages")
class foreign_exception_at_signing(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if not message:
                raise ValueError("nothing to sign")
            return super().sign(message, deadline)


@noticed_by("test_large_messages")
class limit_that_is_not_declared(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if len(message) > 4096:
                raise SignError("too large")
            return super().sign(message, deadline)


ORDER = 2**252 + 27742317777372353535851937790883648493  # of the base point, RFC 8032, 5.1


def scalar(private_key: Ed25519PrivateKey) -> int:
    """RFC 8032, 5.1.5."""
    hashed = bytearray(hashlib.sha512(private_key.private_bytes_raw()).digest()[:32])
    hashed[0] &= 248
    hashed[31] = hashed[31] & 127 | 64
    return int.from_bytes(hashed, "little")


@noticed_by("test_signing_twice")
class another_nonce_each_time(SoundBackend):
    """Its signatures verify; where one nonce ever served for two messages, the key could be computed from them."""

    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            nonce = Ed25519PrivateKey.generate()
            point = nonce.public_key().public_bytes_raw()
            challenge = hashlib.sha512(point + self.public_key.raw + message).digest()
            s = scalar(nonce) + int.from_bytes(challenge, "little") * scalar(self.private_key)
            return point + (s % ORDER).to_bytes(32, "little")
