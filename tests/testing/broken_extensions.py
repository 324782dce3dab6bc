"""Extensions that do not keep to the contract, or do not watch as they should."""

import os
import threading
from typing import Any

import attrs

from signer_core import Extension, Secret, SignEvent, hookimpl
from signer_core.errors import PolicyViolationError
from tests.testing.broken import noticed_by
from tests.testing.sound_backend import DOWN
from tests.testing.sound_extension import Policy, SoundExtension


@noticed_by("test_signer_extension")
class contract_of_the_future(SoundExtension):
    @hookimpl
    def signer_extension(self) -> Extension:
        return Extension(contract=2, config_class=self.config_class)


@attrs.define(kw_only=True)
class ThawedConfig:
    forbidden: str
    token: Secret = attrs.field(repr=False)


@noticed_by("test_configuration_is_frozen")
class options_that_change(SoundExtension):
    config_class = ThawedConfig


@noticed_by("test_signer_commands")
class extension_commands_that_are_none(SoundExtension):
    @hookimpl
    def signer_commands(self) -> object:
        return ["verify"]


@noticed_by("test_describing_touches_nothing")
class extension_that_reads_a_file(SoundExtension):
    @hookimpl
    def signer_extension(self) -> Extension:
        with open(os.devnull, "rb"):
            return super().signer_extension()


@noticed_by("test_loading_imports_no_sdk")
class extension_with_an_sdk_before_it_is_needed(SoundExtension):
    @hookimpl
    def signer_extension(self) -> Extension:
        import pytest  # noqa: F401 — as any package that the core does not need

        return super().signer_extension()


@noticed_by("test_approved_message_is_signed", "test_threads", "test_async")
class refusal_of_everything(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            raise PolicyViolationError("never")


@noticed_by("test_approved_message_is_signed")
class approval_by_a_value(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            return True


@noticed_by("test_messages_of_any_size")
class first_byte_that_must_be_there(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            assert event.message
            assert event.message[0] >= 0


@noticed_by("test_messages_of_any_content")
class text_that_must_be_utf_8(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            assert event.message is not None
            event.message.decode()


@noticed_by("test_error_of_the_key_comes_out")
class record_of_signatures_only(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
            signature.hex()  # type: ignore[union-attr]


@noticed_by("test_message_that_is_not_there")
class message_that_must_be_there(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            assert len(event.message) < 2**30  # type: ignore[arg-type]


@noticed_by("test_message_that_is_not_there")
class digest_that_must_be_there(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
            event.digest.hex()  # type: ignore[union-attr]


@noticed_by("test_threads")
class event_kept_in_the_extension(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            self.event = event
            threading.Event().wait(0.001)  # as any extension that writes

        @hookimpl
        def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
            assert self.event is event


@noticed_by("test_threads", "test_async")
class extension_of_one_thread(SoundExtension):
    class policy_class(Policy):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.thread = threading.current_thread()

        def reach(self) -> None:
            assert threading.current_thread() is getattr(self, "thread", threading.current_thread())


@noticed_by("test_fork")
class extension_that_is_useless_after_fork(SoundExtension):
    class policy_class(Policy):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.process = os.getpid()

        def reach(self) -> None:
            assert os.getpid() == getattr(self, "process", os.getpid())


@noticed_by("test_closing_one_signer_leaves_the_others")
class extension_that_closes_for_all(SoundExtension):
    class policy_class(Policy):
        closed = False

        def __init__(self, config: Any) -> None:
            type(self).closed = False  # a new file, which all share
            super().__init__(config)

        def reach(self) -> None:
            assert not self.closed

        def close(self) -> None:
            type(self).closed = True


@noticed_by("test_closing")
class close_that_needs_a_signature(SoundExtension):
    class policy_class(Policy):
        def close(self) -> None:
            assert self.outcomes


@noticed_by("test_refusal", "test_refusal_in_a_batch")
class refusal_as_foreign_exception(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            assert b"forbidden" not in (event.message or b"")


@noticed_by("test_refusal")
class refusal_after_the_signature(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            pass

        @hookimpl
        def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
            super().signer_before_sign(event)


@noticed_by("test_refusal")
class spoilt_by_refusal(SoundExtension):
    class policy_class(Policy):
        @hookimpl
        def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
            if isinstance(error, PolicyViolationError):
                self.config = attrs.evolve(self.config, forbidden="")


@noticed_by("test_refusal_in_a_batch")
class refusal_in_one_thread_only(SoundExtension):
    class policy_class(Policy):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.local = threading.local()
            self.local.attached = True

        @hookimpl
        def signer_before_sign(self, event: SignEvent) -> Any:
            if hasattr(self.local, "attached"):
                super().signer_before_sign(event)


@noticed_by("test_broken")
class down_as_foreign_exception(SoundExtension):
    class policy_class(Policy):
        def reach(self) -> None:
            if DOWN.is_set():
                raise OSError("it is down")


@noticed_by("test_broken")
class down_and_nobody_hears_of_it(SoundExtension):
    class policy_class(Policy):
        def reach(self) -> None:
            pass


@noticed_by("test_broken")
class never_up_again(SoundExtension):
    class policy_class(Policy):
        is_down = False

        def reach(self) -> None:
            self.is_down = self.is_down or DOWN.is_set()
            if self.is_down:
                raise PolicyViolationError("it is down")
