"""Putting a key into a file's place: one that is imported, or the same one under another passphrase."""

from pathlib import Path
from typing import Any

import attrs

from signer_core.algorithms import Algorithm
from signer_core.deadline import Deadline
from signer_core.errors import KeyExistsError
from signer_file import store
from signer_file.config import FileConfig
from signer_file.key import FileKey
from signer_file.key_file import KeyFile, seal
from signer_file.location import Location, check_holds, choose_new, find
from signer_file.lock import locked


@attrs.frozen
class Imported:
    """A key in its place, and where the one that it replaced is kept."""

    key: FileKey
    backup: Path | None


def look_for_place(config: FileConfig, *, force: bool) -> Location | None:
    """The key file that is there. Raises ``KeyExistsError`` if there is one, unless ``force``."""
    there = find(config)
    if there is not None and not force:
        raise _exists(there)
    return there


def import_key(
    config: FileConfig, key: Any, algorithm: Algorithm, location: Location | None, *, force: bool, deadline: Deadline
) -> Imported:
    """Write ``key``, a private key of cryptography's, to ``location``, which :func:`look_for_place` gave, or, where
    there was none, to where the configuration says.

    With ``force`` it takes the place of the key that is there, whose file stays beside it under another name. Raises
    ``KeyExistsError`` if another process made a key meanwhile that must not be replaced.
    """
    location = location or choose_new(config, algorithm)
    check_holds(location, algorithm)
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
    return Imported(FileKey(location.file, key, algorithm), backup)


def change_passphrase(file: KeyFile, key: Any, passphrase: bytes, deadline: Deadline) -> None:
    """Encrypt ``key`` anew, in the same format, and put it into the place of ``file``, which held it.

    Raises ``KeyExistsError`` if the file was changed meanwhile: it may be another key's by now.
    """
    target = file.location.target
    content = seal(key, passphrase, file.location.format)
    with locked(target.parent, deadline):
        now, _ = store.read(target)
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
