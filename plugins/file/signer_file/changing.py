"""Putting a key into a file's place: one that is imported, or the same one under another passphrase."""

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from signer_core.deadline import Deadline
from signer_core.errors import KeyExistsError
from signer_file import store
from signer_file.config import FileConfig
from signer_file.key import FileKey
from signer_file.key_file import KeyFile, seal
from signer_file.location import Location, choose_new, find
from signer_file.lock import locked

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@attrs.frozen
class Imported:
    """A key in its place, and where the one that it replaced is kept."""

    key: FileKey
    backup: Path | None


def choose_place(config: FileConfig, *, force: bool) -> Location:
    """Where an imported key goes. Raises ``KeyExistsError`` where there is one already, unless ``force``."""
    there = find(config)
    if there is not None and not force:
        raise _exists(there)
    return there or choose_new(config)


def import_key(
    config: FileConfig, key: "Ed25519PrivateKey", location: Location, *, force: bool, deadline: Deadline
) -> Imported:
    """Write ``key`` to ``location``, which :func:`choose_place` gave.

    With ``force`` it takes the place of the key that is there, whose file stays beside it under another name. Raises
    ``KeyExistsError`` if another process made a key meanwhile that must not be replaced.
    """
    content = seal(key, config.reveal_passphrase(), location.format)
    target, backup = location.target, None
    store.make_directory(target.parent)
    with locked(target.parent, deadline):
        there = find(config)
        if there is None:
            store.create(target, content)
        elif force and there == location:
            backup = store.back_up(target)
            store.replace(target, content)
        else:
            raise _exists(there)
    return Imported(FileKey(location.file, key), backup)


def change_passphrase(file: KeyFile, key: "Ed25519PrivateKey", passphrase: bytes, deadline: Deadline) -> None:
    """Encrypt ``key`` anew, in the same format, and put it into the place of ``file``, which held it.

    Raises ``KeyExistsError`` if the file was changed meanwhile: it may be another key's by now.
    """
    target = file.location.target
    content = seal(key, passphrase, file.location.format)
    with locked(target.parent, deadline):
        now, _ = store.read(target, follow=False)
        if now != file.content:
            raise KeyExistsError(
                f"{target} was changed by another process meanwhile, and stays as it is", remedy="run the command again"
            )
        store.replace(target, content)


def _exists(location: Location) -> KeyExistsError:
    return KeyExistsError(
        f"there is a key at {location.file} already, and it stays as it is",
        remedy="to replace it, and keep it as a backup, use --force",
    )
