"""Backends that open or make keys as they should not."""

from typing import Any

import attrs

from signer_core import SigningKey, hookimpl
from signer_core.errors import KeyNotFoundError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import SoundBackend


@noticed_by("test_init_changes_nothing")
class init_that_replaces(SoundBackend):
    @hookimpl
    def signer_init(self, config: Any) -> SigningKey:
        self.names.add(config.name)
        return self.key_class(attrs.evolve(config, name="replaced"))


@noticed_by("test_init_makes_a_missing_key")
class init_that_keeps_nothing(SoundBackend):
    @hookimpl
    def signer_init(self, config: Any) -> SigningKey:
        return self.key_class(config)


@noticed_by("test_missing_key", "test_missing_key_that_is_pinned")
class open_that_makes_keys(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        self.names.add(config.name)
        return super().signer_open(config)


@noticed_by("test_missing_key")
class foreign_exception_at_opening(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        if config.name not in self.names:
            raise FileNotFoundError(config.name)
        return super().signer_open(config)


class NoSuchKeyError(KeyNotFoundError):
    def __init__(self, name: str, place: str) -> None:
        super().__init__(f"no {name} in {place}")


@noticed_by("test_missing_key")
class error_that_does_not_pickle(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        if config.name not in self.names:
            raise NoSuchKeyError(config.name, "memory")
        return super().signer_open(config)
