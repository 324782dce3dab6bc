"""Backends that tell what they should not."""

import logging
import sys
from typing import Any

import attrs

from signer_core import Secret, SigningKey, hookimpl
from signer_core.errors import BackendUnavailableError, KeyNotFoundError, WrongPassphraseError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import Key, SoundBackend


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


@noticed_by("test_nothing_secret_in_logs")
class secret_in_print(SoundBackend):
    class key_class(Key):
        def close(self) -> None:
            sys.stderr.write(self.config.password.reveal().decode())


@noticed_by("test_nothing_secret_in_pickles")
class secret_in_pickle(SoundBackend):
    class key_class(Key):
        def __getstate__(self) -> object:
            return self.config.password.reveal()


@noticed_by("test_missing_key")
class secret_in_error_of_missing_key(SoundBackend):
    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        if config.name not in self.names:
            raise KeyNotFoundError(f"no key {config.name!r} for {config.password.reveal()!r}")
        return super().signer_open(config)


@attrs.frozen(kw_only=True)
class TellingConfig:
    name: str
    password: Secret = attrs.field(repr=False)
    region: str = attrs.field(default="here")

    @region.validator
    def _is_not_empty(self, _: object, value: str) -> None:
        if not value:
            raise ValueError(f"{self.password.reveal().decode()!r} is for no region")


@noticed_by("test_nothing_secret_in_errors")
class secret_in_error_of_another_option(SoundBackend):
    config_class = TellingConfig


@noticed_by("test_broken")
class secret_in_error_of_outage(SoundBackend):
    class key_class(Key):
        def reach(self) -> None:
            try:
                super().reach()
            except BackendUnavailableError as error:
                raise BackendUnavailableError(f"no answer to {self.config.password.reveal()!r}") from error


@noticed_by("test_broken")
class secret_in_log_of_outage(SoundBackend):
    class key_class(Key):
        def reach(self) -> None:
            try:
                super().reach()
            except BackendUnavailableError:
                logging.getLogger("memory").exception("no answer to %s", self.config.password.reveal())
                raise
