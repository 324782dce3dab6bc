"""Extensions that tell what they should not."""

import logging
import sys
from typing import Any

import attrs

from signer_core import Secret, SignEvent, hookimpl
from signer_core.errors import ExtensionError, PolicyViolationError
from tests.testing.broken import noticed_by
from tests.testing.sound_extension import Policy, SoundExtension


@noticed_by("test_nothing_secret_in_reprs_and_pickles")
class token_in_repr(SoundExtension):
    class policy_class(Policy):
        def __repr__(self) -> str:
            return f"<Policy {self.config.token.reveal()!r}>"


@noticed_by("test_nothing_secret_in_reprs_and_pickles")
class token_in_pickle(SoundExtension):
    class policy_class(Policy):
        def __getstate__(self) -> object:
            return self.config.token.reveal()


@noticed_by("test_nothing_secret_in_logs")
class token_in_log(SoundExtension):
    class policy_class(Policy):
        def close(self) -> None:
            logging.getLogger("memory").debug("closing %s", self.config.token.reveal())


@noticed_by("test_nothing_secret_in_logs")
class token_in_print(SoundExtension):
    class policy_class(Policy):
        def close(self) -> None:
            sys.stderr.write(self.config.token.reveal().decode())


@noticed_by("test_nothing_secret_in_logs")
class token_in_refusal(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            if not event.message:
                raise PolicyViolationError(f"nothing to sign for {self.config.token.reveal()!r}")


@attrs.frozen(kw_only=True)
class TellingConfig:
    token: Secret = attrs.field(repr=False)
    forbidden: str = attrs.field(default="forbidden")

    @forbidden.validator
    def _is_not_empty(self, _: object, value: str) -> None:
        if not value:
            raise ValueError(f"{self.token.reveal().decode()!r} forbids nothing")


@noticed_by("test_nothing_secret_in_errors")
class token_in_error_of_another_option(SoundExtension):
    config_class = TellingConfig


@noticed_by("test_broken")
class token_in_error(SoundExtension):
    class policy_class(Policy):
        def reach(self) -> None:
            try:
                super().reach()
            except ExtensionError as error:
                raise ExtensionError(f"no answer to {self.config.token.reveal()!r}") from error
