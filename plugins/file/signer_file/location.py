"""Which key file a configured path means."""

import os
from pathlib import Path

import attrs

from signer_core.algorithms import Algorithm
from signer_core.errors import ConfigError, KeyNotFoundError
from signer_file.config import FileConfig, Format
from signer_file.failure import failure

_NAMES = {Format.EVNODE: "signer.json", Format.PKCS8: "signer.pem"}
_SUFFIXES = {".json": Format.EVNODE, ".pem": Format.PKCS8}
_HOLDS = {Format.EVNODE: {Algorithm.ED25519}, Format.PKCS8: set(Algorithm)}


@attrs.frozen
class Location:
    """Where one key file is, or will be."""

    file: Path
    format: Format
    #: The configuration names this very file; only then a symbolic link in its place is followed.
    named: bool = False

    @property
    def target(self) -> Path:
        """The file that is written: behind a link that the user named, not the link."""
        return Path(os.path.realpath(self.file)) if self.named else self.file


def find(config: FileConfig) -> Location | None:
    """The key file that is there, or None. Raises ``ConfigError`` if ``path`` is ambiguous or impossible."""
    found = [each for each in candidates(config) if _exists(each)]
    if len(found) > 1:
        raise ConfigError(
            f"{config.path} holds two keys, {' and '.join(each.file.name for each in found)}",
            remedy="set 'path' to one of the two files",
        )
    return found[0] if found else None


def find_existing(config: FileConfig) -> Location:
    """The key file that is there. Raises ``KeyNotFoundError`` if there is none."""
    found = find(config)
    if found is None:
        raise KeyNotFoundError(f"there is no key at {config.path}", remedy="make one with: signer init")
    return found


def choose_new(config: FileConfig, algorithm: Algorithm) -> Location:
    """Where a new key for ``algorithm`` goes, and in which format: as the file's name says, else as ``format`` says,
    else the first one that holds such keys.
    """
    fitting = [each for each in candidates(config) if each.format is (config.format or each.format)]
    for each in fitting:
        if algorithm in _HOLDS[each.format]:
            return each
    if fitting:
        raise cannot_hold(fitting[0], algorithm)
    raise ConfigError(
        f"the format {config.format} contradicts the name of {config.path}",
        remedy="leave out 'format', or let the name of an evnode file end in .json and of a pkcs8 file in .pem",
    )


def cannot_hold(location: Location, algorithm: Algorithm) -> ConfigError:
    """The error about a format that has no place for a key for ``algorithm``."""
    return ConfigError(
        f"{location.file} would be in ev-node's format, which holds Ed25519 keys only, and not one for {algorithm}",
        remedy="use the format pkcs8, whose files end in .pem",
    )


def check_holds(location: Location, algorithm: Algorithm) -> None:
    """Raise ``ConfigError`` if the format has no place for a key for ``algorithm``."""
    if algorithm not in _HOLDS[location.format]:
        raise cannot_hold(location, algorithm)


def candidates(config: FileConfig) -> list[Location]:
    """Where the key may be."""
    path = config.path
    if path.suffix in _SUFFIXES:
        return [Location(path, _SUFFIXES[path.suffix], named=True)]
    return [Location(path / name, each) for each, name in _NAMES.items()]


def _exists(location: Location) -> bool:
    try:
        os.stat(location.file, follow_symlinks=location.named)
    except FileNotFoundError:
        return False
    except ValueError:
        raise ConfigError(
            "the option 'path' holds a character that no path may hold", remedy="remove the NUL"
        ) from None
    except OSError as error:
        raise failure(error, f"there can be no key at {location.file}") from None
    return True
