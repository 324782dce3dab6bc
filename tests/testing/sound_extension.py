"""An extension in memory that keeps every promise, for others to break one each."""

import threading
from typing import Any, ClassVar

import attrs

from signer_core import Extension, Secret, SignEvent, hookimpl
from signer_core.errors import ExtensionError, PolicyViolationError
from tests.testing.sound_backend import DOWN


@attrs.frozen(kw_only=True)
class Config:
    forbidden: str = "forbidden"
    token: Secret = attrs.field(repr=False)


class Policy:
    """Refuses messages that hold the forbidden text, and counts outcomes."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.outcomes = 0
        self.counting = threading.Lock()
        self.reach()

    def reach(self) -> None:
        """What the extension does while it is down."""
        if DOWN.is_set():
            raise ExtensionError("it is down")

    @hookimpl
    def signer_before_sign(self, event: SignEvent) -> Any:
        self.reach()
        if self.config.forbidden.encode() in (event.message or b""):
            raise PolicyViolationError("the message is forbidden")

    @hookimpl
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> Any:
        with self.counting:
            self.outcomes += 1

    def close(self) -> None:
        pass


class SoundExtension:
    """The hooks, as methods of an object that is registered as the plugin."""

    policy_class: ClassVar[type[Policy]] = Policy
    config_class: ClassVar[type[Any]] = Config
    needs_message: ClassVar[bool] = False

    @hookimpl
    def signer_extension(self) -> Extension:
        return Extension(contract=1, config_class=self.config_class, needs_message=self.needs_message)

    @hookimpl
    def signer_attach(self, config: Any) -> object:
        return self.policy_class(config)


sound = SoundExtension()
