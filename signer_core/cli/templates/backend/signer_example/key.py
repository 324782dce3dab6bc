"""A toy to be replaced: an Ed25519 key in a file that is not encrypted."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from signer_core import Deadline, PublicKey, SigningKey
from signer_core.errors import AccessDeniedError, KeyFormatError, KeyNotFoundError, KeyUnavailableError


class ExampleKey(SigningKey):
    """One open key. Threads share it, so nothing in it changes."""

    def __init__(self, path: Path, private_key: Ed25519PrivateKey) -> None:
        self._path = path
        self._private_key = private_key
        self._public_key = PublicKey.from_cryptography(private_key.public_key())

    @classmethod
    def read(cls, path: Path, deadline: Deadline) -> Self:
        """The key that the file holds."""
        deadline.check()
        with _mapped_errors(path):
            content = path.read_bytes()
        with contextlib.suppress(ValueError):
            return cls(path, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(content.decode("ascii"))))
        # Raised out here, so that an error which may quote the file is not this one's __context__.
        raise KeyFormatError(f"{path} holds no key: it must be 64 hex digits", remedy="restore it from a backup")

    @classmethod
    def make(cls, path: Path, deadline: Deadline) -> None:
        """Write a new key, whole and for its owner only, unless there is a file already."""
        deadline.check()
        with _mapped_errors(path):
            if path.exists():
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent) as file:
                file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex().encode())
                file.flush()
                os.fsync(file.fileno())
                with contextlib.suppress(FileExistsError):  # somebody else was quicker: that key counts
                    os.link(file.name, path)

    @property
    def key_id(self) -> str:
        """The name by which operators know the key."""
        return str(self._path)

    @property
    def public_key(self) -> PublicKey:
        """The key's public half."""
        return self._public_key

    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """One attempt. A service would be given ``deadline.remaining()`` seconds to answer; None means no limit."""
        deadline.check()
        return self._private_key.sign(message)


@contextlib.contextmanager
def _mapped_errors(path: Path) -> Iterator[None]:
    """The one place where errors that are not signer-core's become its own."""
    try:
        yield
    except FileNotFoundError as error:
        raise KeyNotFoundError(f"there is no file {path}", remedy="`signer init` makes a key") from error
    except PermissionError as error:
        raise AccessDeniedError(f"the permissions of {path} do not suffice") from error
    except OSError as error:
        raise KeyUnavailableError(f"{path} cannot be used: {error.strerror}") from error
