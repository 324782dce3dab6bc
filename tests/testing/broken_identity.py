"""Backends that are not sure which key they have."""

import itertools
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Algorithm, PublicKey
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend


@noticed_by("test_key_id_is_set")
class missing_key_id(SoundBackend):
    class key_class(Key):
        key_id = ""


@noticed_by("test_identity_is_stable")
class changing_key_id(SoundBackend):
    class key_class(Key):
        counter = itertools.count()

        @property
        def key_id(self) -> str:
            return f"memory:{next(self.counter)}"


@noticed_by("test_public_key_is_set")
class public_key_as_bytes(SoundBackend):
    class key_class(Key):
        public_key = b"k" * 32  # type: ignore[assignment]


@noticed_by("test_reopening_gives_the_same_key", "test_init_changes_nothing", "test_pickle")
class another_key_each_time(SoundBackend):
    class key_class(Key):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.private_key = Ed25519PrivateKey.generate()


@noticed_by("test_reopening_gives_the_same_key")
class denies_that_it_reopens(SoundBackend):
    class key_class(Key):
        reopens = False


@noticed_by("test_public_key_round_trips")
class public_key_made_by_hand(SoundBackend):
    class key_class(Key):
        @property
        def public_key(self) -> PublicKey:
            right = super().public_key
            another = PublicKey.from_cryptography(Ed25519PrivateKey.generate().public_key())
            return PublicKey(Algorithm.ED25519, another.to_der(), right.to_cryptography())


class PrefixedPublicKey(PublicKey):
    @property
    def address(self) -> bytes:
        return b"\x01" + super().address


@noticed_by("test_signer_shows_the_key")
class address_of_its_own(SoundBackend):
    class key_class(Key):
        @property
        def public_key(self) -> PublicKey:
            return PrefixedPublicKey.from_cryptography(self.private_key.public_key())
