"""Where the paths in a configuration and in references lead."""

import os
from pathlib import Path

from signer_core.errors import ConfigError


def working_directory() -> Path:
    """The working directory; where it was deleted, a path that leads nowhere, so that absolute ones still work."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path()


def absolute(path: str | os.PathLike[str], start: Path) -> Path:
    """``path`` with ``~`` expanded, from ``start`` where it is relative. Raises :class:`ConfigError`."""
    found = start / os.path.expanduser(path)
    if not found.is_absolute():
        raise ConfigError(
            f"{found} leads nowhere: the working directory does not exist any more", remedy="write an absolute path"
        )
    return found
