"""Who else can get at a key file: what is looser than it should be, and what to do about it."""

import os
import stat
from pathlib import Path

import attrs

from signer_file.failure import failure


@attrs.frozen
class Finding:
    """Something about a key file that is weaker than it should be."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def of_file(path: Path, status: os.stat_result) -> Finding | None:
    """What is wrong with the mode or the owner of the key file; None on Windows, whose modes say nothing."""
    if os.name == "nt":
        return None
    if readable_by_others(status):
        return Finding(f"{path} has the mode {stat.S_IMODE(status.st_mode):04o}", tightening(path, status))
    if os.geteuid() not in (0, status.st_uid) and status.st_uid != 0:
        return Finding(f"{path} belongs to another user (uid {status.st_uid})", f"chown {os.geteuid()} {path}")
    return None


def of_directory(directory: Path) -> Finding | None:
    """What is wrong with the mode of the directory: who may write it can put another file into the key's place."""
    if os.name == "nt":
        return None
    try:
        mode = directory.stat().st_mode
    except OSError as error:
        raise failure(error, f"{directory} cannot be examined") from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        return Finding(f"{directory} has the mode {stat.S_IMODE(mode):04o}", f"chmod 700 {directory}")
    return None


def readable_by_others(status: os.stat_result) -> bool:
    """Whether the mode gives others a right, or the group one that it should not have."""
    if os.name == "nt":
        return False
    of_group = stat.S_IWGRP | stat.S_IXGRP if _only_lent(status) else stat.S_IRWXG
    return bool(status.st_mode & (of_group | stat.S_IRWXO))


def tightening(path: Path, status: os.stat_result) -> str:
    """What to do about a mode that gives rights to others."""
    return f"chmod {'640' if _only_lent(status) else '600'} {path}"


def readers(status: os.stat_result) -> str:
    """Who can read a key file whose mode is in order."""
    if os.name != "nt" and status.st_mode & stat.S_IRGRP:
        return "only root and its group can read it"
    return "only its owner can read it"


def _only_lent(status: os.stat_result) -> bool:
    """Whether the file is root's, and this process is not, so that it reads it as one of the group, or by an access
    list, which shows as the group's right: so Kubernetes mounts secrets, and systemd gives credentials.
    """
    return status.st_uid == 0 and os.geteuid() != 0
