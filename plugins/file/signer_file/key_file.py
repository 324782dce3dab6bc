"""A key file as it lies on the disk, in either format."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any, Protocol, Self

import attrs

from signer_core.errors import ConfigError, KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError
from signer_file import permissions, store
from signer_file.config import FileConfig, Format
from signer_file.location import Location
from signer_file.permissions import Finding

_log = logging.getLogger("signer_file")
_ENCRYPT = "encrypt it anew with: signer file passwd"
_WRONG = (
    "check which passphrase it was encrypted with; the option 'passphrase' says where the one that was tried is from"
)


class Sealed(Protocol):
    """What the content of a key file is in both formats, once parsed."""

    @property
    def encrypted(self) -> bool:
        """Whether it takes a passphrase."""

    @property
    def weakness(self) -> str | None:
        """What is weak in how the passphrase protects the key; None if nothing is."""

    @property
    def tells_changes(self) -> bool:
        """Whether a file that was altered shows it, and does not open as another key."""

    def open(self, passphrase: bytes) -> Any:
        """The private key; the passphrase is ignored where it takes none."""


@attrs.frozen
class KeyFile:
    """A key file that was read and parsed, and is not yet decrypted."""

    location: Location
    content: bytes = attrs.field(repr=False)
    status: os.stat_result = attrs.field(repr=False)
    sealed: Sealed = attrs.field(repr=False)

    @classmethod
    def read(cls, location: Location) -> Self:
        """Raises ``KeyFormatError``, and what :func:`signer_file.store.read` raises."""
        content, status = store.read(location.file, follow=location.named)
        with errors_naming(location.file):
            return cls(location, content, status, parse(content, location.format))

    def passphrase(self, config: FileConfig) -> bytes:
        """The configured passphrase; empty for a file that takes none, which is refused unless all allows it."""
        if self.sealed.encrypted:
            return config.reveal_passphrase()
        if not config.allow_unencrypted:
            raise ConfigError(
                f"{self.location.file} is not encrypted", remedy=f"{_ENCRYPT}, or set allow_unencrypted = true"
            )
        if permissions.readable_by_others(self.status):
            raise ConfigError(
                f"{self.location.file} is not encrypted, and not only its owner can read it",
                remedy=permissions.tightening(self.location.file, self.status),
            )
        if config.passphrase is not None:
            _log.warning("%s is not encrypted, so the passphrase protects nothing; %s", self.location.file, _ENCRYPT)
        return b""

    def open(self, passphrase: bytes) -> Any:
        """The private key. Logs a warning for each thing that is weaker than it should be."""
        with errors_naming(self.location.file, of_passphrase=_WRONG):
            key = self.sealed.open(passphrase)
        for finding in (self.permissions, self.directory_permissions, self.weakness, self.alterability):
            if finding is not None:
                _log.warning("%s", finding)
        return key

    @property
    def permissions(self) -> Finding | None:
        """What is wrong with its mode or owner."""
        return permissions.of_file(self.location.file, self.status)

    @property
    def directory_permissions(self) -> Finding | None:
        """What is wrong with the mode of its directory."""
        return permissions.of_directory(self.location.target.parent)

    @property
    def weakness(self) -> Finding | None:
        """What is weak in how the passphrase protects the key."""
        weakness = self.sealed.weakness
        return None if weakness is None else Finding(f"{self.location.file}: {weakness}", _ENCRYPT)

    @property
    def alterability(self) -> Finding | None:
        """Whether it could have been altered unnoticed; that it is not encrypted is worse, and said elsewhere."""
        if self.sealed.tells_changes or not self.sealed.encrypted:
            return None
        return Finding(
            f"{self.location.file}: nothing in the file tells whether it was altered",
            "`signer file passwd` adds the public key, or set expected_address",
        )


def parse(content: bytes, form: Format) -> Sealed:
    """The content of a key file. Raises ``KeyFormatError``."""
    if form is Format.EVNODE:
        from signer_file.evnode import SignerJson

        return SignerJson.parse(content)
    from signer_file.pkcs8 import PrivateKeyPem

    return PrivateKeyPem.parse(content)


def seal(key: Any, passphrase: bytes, form: Format) -> bytes:
    """The content of a new key file with a private key of cryptography's."""
    if form is Format.EVNODE:
        from signer_file.evnode import seal
    else:
        from signer_file.pkcs8 import seal
    return seal(key, passphrase)


@contextlib.contextmanager
def errors_naming(what: object, *, of_passphrase: str | None = None) -> Iterator[None]:
    """Errors about a content say whose it is; ``of_passphrase`` is the remedy of a wrong passphrase that has none."""
    try:
        yield
    except (KeyFormatError, UnsupportedAlgorithmError, WrongPassphraseError) as error:
        remedy = error.remedy or (of_passphrase if isinstance(error, WrongPassphraseError) else None)
        raise type(error)(f"{what}: {error.message}", remedy=remedy) from None
