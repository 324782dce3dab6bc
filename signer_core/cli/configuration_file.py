"""Which configuration file the command reads, and whether it may be believed."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from signer_core.errors import ConfigError

VARIABLE = "SIGNER_CONFIG"
DEFAULT = "signer.toml"


class ConfigurationFile:
    """The file named by ``--config``, else by ``$SIGNER_CONFIG``, else the ``default``."""

    def __init__(self, named: str | None, *, default: str | Path = DEFAULT) -> None:
        self.path = Path(named if named is not None else os.environ.get(VARIABLE) or default)
        #: Whether the user did not name it here and now. Such a one is only believed if nobody else had a hand in it.
        self.is_default = named is None
        #: Whether going on without it would not be what the user asked for.
        self.is_required = named is not None or bool(os.environ.get(VARIABLE))

    @property
    def exists(self) -> bool:
        """Whether something is there, be it a link that leads nowhere: to go on without it would be a surprise."""
        return os.path.lexists(self.path)

    @property
    def inspect(self) -> Callable[[os.stat_result], None] | None:
        """Judges the ``fstat`` of the opened file by a :class:`ConfigError`; None for a file that the user named."""
        return self._inspect if self.is_default else None

    def _inspect(self, opened: os.stat_result) -> None:
        """Refuse what is no regular file, and one that others own or may write.

        Whoever writes it chooses the key, and which of the installed plugins runs. So nobody but the caller and root
        may own the file, or the link that leads to it, and neither group nor others may write it. The directory is
        not judged: what somebody else puts there in its place is his own file, or a link of his, and refused as such.
        """
        owners = {os.getuid(), 0} if hasattr(os, "getuid") else None
        if not stat.S_ISREG(opened.st_mode):
            problem, remedy = "is no regular file", f"if it is meant, name it: --config {self.path}"
        elif owners is None:
            return
        elif opened.st_uid not in owners or os.lstat(self.path).st_uid not in owners:
            problem, remedy = "belongs to another user", f"look at it, and if it is right name it: --config {self.path}"
        elif opened.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            problem, remedy = "can be written by other users", f"look at it, then `chmod go-w {self.path}`"
        else:
            return
        raise ConfigError(f"the default configuration {self.path.absolute()} {problem}", remedy=remedy)
