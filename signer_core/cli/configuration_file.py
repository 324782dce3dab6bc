"""Which configuration file the command reads, and whether it may be believed."""

import os
import stat
from pathlib import Path

from signer_core.errors import ConfigError

VARIABLE = "SIGNER_CONFIG"
DEFAULT = "signer.toml"


class ConfigurationFile:
    """The file named by ``--config``, else by ``$SIGNER_CONFIG``, else ``./signer.toml``."""

    def __init__(self, named: str | None) -> None:
        self.path = Path(named if named is not None else os.environ.get(VARIABLE) or DEFAULT)
        #: Whether the user said so, here and now. A default one is only believed if nobody else had a hand in it.
        self.is_default = named is None
        #: Whether going on without it would not be what the user asked for.
        self.is_required = named is not None or bool(os.environ.get(VARIABLE))

    @property
    def exists(self) -> bool:
        """Whether something is there, be it a link that leads nowhere: to go on without it would be a surprise."""
        return os.path.lexists(self.path)

    def inspect(self, opened: os.stat_result) -> None:
        """Refuse a default file that others own or may write, with a :class:`ConfigError`; ``opened`` is its fstat.

        Whoever writes it chooses the key, and which of the installed plugins runs. So nobody but the caller and root
        may own the file, or the link that leads to it, and neither group nor others may write it. The directory is
        not judged: what somebody else puts there in its place is his own file, or a link of his, and refused as such.
        """
        if not self.is_default or not hasattr(os, "getuid"):
            return
        owners = {os.getuid(), 0}
        if opened.st_uid not in owners or os.lstat(self.path).st_uid not in owners:
            problem, remedy = "belongs to another user", f"look at it, and if it is right name it: --config {self.path}"
        elif opened.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            problem, remedy = "can be written by other users", f"look at it, then `chmod go-w {self.path}`"
        else:
            return
        raise ConfigError(f"the default configuration {self.path.absolute()} {problem}", remedy=remedy)
