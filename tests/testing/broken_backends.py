"""Backends that break one promise each, and name the tests of the kit that must notice."""

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Backend, Deadline, Secret, SigningKey, hookimpl
from signer_core.errors import BackendUnavailableError, KeyNotFoundError, SignError, WrongPassphraseError
from signer_core.hookspecs import Verdict
from tests.testing.sound_backend import Config, Key, SoundBackend

#: The tests that must fail, by the name of the backend's entry point.
BROKEN: dict[str, tuple[str, ...]] = {}


def noticed_by(*tests: str) -> Callable[[type[SoundBackend]], SoundBackend]:
    """Make the class a backend: an object of it."""

    def made(backend: type[SoundBackend]) -> SoundBackend:
        BROKEN[backend.__name__] = tests
        return backend()

    return made


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


@noticed_by("test_small_messages")
class foreign_exception_at_signing(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if not message:
                raise ValueError("nothing to sign")
            return super().sign(message, deadline)


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


@noticed_by("test_large_messages")
class limit_that_is_not_declared(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if len(message) > 4096:
                raise SignError("too large")
            return super().sign(message, deadline)


@noticed_by("test_timeout")
class ignored_deadline(SoundBackend):
    class key_class(Key):
        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if (deadline.remaining() or 60) < 1:
                time.sleep(1.5)  # longer than the test's timeout and grace
            return super().sign(message, deadline)


@noticed_by("test_closing_one_signer_leaves_the_others")
class close_that_closes_for_all(SoundBackend):
    class key_class(Key):
        closed = False

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            type(self).closed = False  # a new connection, which all keys share

        def sign(self, message: bytes, deadline: Deadline) -> bytes:
            if self.closed:
                raise BackendUnavailableError("the connection is closed")
            return super().sign(message, deadline)

        def close(self) -> None:
            type(self).closed = True


@noticed_by("test_close_twice")
class close_that_fails(SoundBackend):
    class key_class(Key):
        def close(self) -> None:
            raise OSError("already closed")


@noticed_by("test_renewal")
class renewal_without_need(SoundBackend):
    class key_class(Key):
        def renew(self, deadline: Deadline) -> SigningKey:
            return Key(attrs.evolve(self.config, name="renewed"))


@noticed_by("test_facts_of_the_key")
class limit_of_nothing(SoundBackend):
    class key_class(Key):
        max_message_bytes = -1


@noticed_by("test_nothing_secret_in_reprs")
class secret_in_repr(SoundBackend):
    class key_class(Key):
        def __repr__(self) -> str:
            return f"<Key {self.config.password.reveal().hex()}>"


@noticed_by("test_nothing_secret_in_logs")
class secret_in_log(SoundBackend):
    class key_class(Key):
        def close(self) -> None:
            logging.getLogger("memory").debug("closing", extra={"password": self.config.password.reveal()})


@noticed_by("test_wrong_secret")
class secret_in_error(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        try:
            return super().signer_open(config)
        except WrongPassphraseError as error:
            raise WrongPassphraseError(f"{config.password.reveal().decode()!r} does not open the key") from error


@noticed_by("test_wrong_secret")
class secret_in_cause(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        try:
            return super().signer_open(config)
        except WrongPassphraseError:
            error = WrongPassphraseError("the password is wrong")
            raise error from ValueError(config.password.reveal())


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


@noticed_by("test_signer_backend_touches_nothing")
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
