"""A backend in memory that keeps every promise, for others to break one each."""

import threading
from typing import Any, ClassVar

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer_core import Backend, Deadline, PublicKey, Secret, SigningKey, hookimpl
from signer_core.errors import BackendUnavailableError, KeyNotFoundError, WrongPassphraseError

PASSWORD = "the right password"

#: While it is set, no backend answers.
DOWN = threading.Event()


@attrs.frozen(kw_only=True)
class Config:
    """The key called "there" exists from the beginning."""

    name: str
    password: Secret = attrs.field(repr=False)


class Key(SigningKey):
    """An Ed25519 key that follows from its name."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.opener = threading.current_thread()
        self.private_key = Ed25519PrivateKey.from_private_bytes(config.name.encode().ljust(32))

    @property
    def key_id(self) -> str:
        return f"memory:{self.config.name}"

    @property
    def public_key(self) -> PublicKey:
        return PublicKey.from_cryptography(self.private_key.public_key())

    def reach(self) -> None:
        """What the backend does while it is down."""
        if DOWN.is_set():
            raise BackendUnavailableError("it is down")

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        self.reach()
        return self.private_key.sign(message)


class SoundBackend:
    """The hooks, as methods of an object that is registered as the plugin."""

    key_class: ClassVar[type[Key]] = Key
    config_class: ClassVar[type[Any]] = Config

    def __init__(self) -> None:
        self.names = {"there"}

    @hookimpl
    def signer_backend(self) -> Backend:
        return Backend(contract=1, config_class=self.config_class)

    @hookimpl
    def signer_open(self, config: Any) -> SigningKey:
        if config.name not in self.names:
            raise KeyNotFoundError(f"there is no key {config.name!r}")
        if config.password.reveal() != PASSWORD.encode():
            raise WrongPassphraseError("the password is wrong")
        key = self.key_class(config)
        key.reach()
        return key

    @hookimpl
    def signer_init(self, config: Any) -> SigningKey:
        self.names.add(config.name)
        return self.signer_open(config)


sound = SoundBackend()
