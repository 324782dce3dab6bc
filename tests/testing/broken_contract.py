"""Backends that do not keep to the contract."""

import os
import socket
from collections.abc import Iterator

import attrs

from signer_core import Backend, Deadline, Secret, SigningKey, hookimpl
from signer_core.hookspecs import Verdict
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Config, Key, SoundBackend


@noticed_by("test_renewal")
class renewal_without_need(SoundBackend):
    class key_class(Key):
        renew_after = 60

        def renew(self, deadline: Deadline) -> SigningKey:
            return Key(attrs.evolve(self.config, name="renewed"))


@noticed_by("test_facts_of_the_key")
class limit_of_nothing(SoundBackend):
    class key_class(Key):
        max_message_bytes = -1


@noticed_by("test_facts_of_the_key")
class concurrency_of_nothing(SoundBackend):
    class key_class(Key):
        concurrency = 0


@attrs.define(kw_only=True)
class ThawedConfig:
    name: str
    password: Secret = attrs.field(repr=False)


@noticed_by("test_configuration_is_frozen")
class configuration_that_changes(SoundBackend):
    config_class = ThawedConfig


@noticed_by("test_signer_backend")
class backend_without_algorithms(SoundBackend):
    @hookimpl
    def signer_backend(self) -> Backend:
        return Backend(contract=1, config_class=Config, algorithms=frozenset())


@noticed_by("test_describing_touches_nothing")
class backend_that_reads_a_file(SoundBackend):
    @hookimpl
    def signer_backend(self) -> Backend:
        with open(os.devnull, "rb"):
            return super().signer_backend()


@noticed_by("test_signer_check")
class check_without_remedy(SoundBackend):
    @hookimpl
    def signer_check(self) -> Iterator[Verdict]:
        yield Verdict(step="password", passed=False)


@noticed_by("test_signer_commands")
class commands_that_are_none(SoundBackend):
    @hookimpl
    def signer_commands(self) -> object:
        return ["export"]


@noticed_by("test_describing_touches_nothing")
class backend_that_asks_the_network(SoundBackend):
    @hookimpl
    def signer_backend(self) -> Backend:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        return super().signer_backend()


@noticed_by("test_loading_imports_no_sdk")
class sdk_before_it_is_needed(SoundBackend):
    @hookimpl
    def signer_backend(self) -> Backend:
        import pytest  # noqa: F401 — as any package that is not

        return super().signer_backend()
