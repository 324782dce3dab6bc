"""CHANGELOG.md, in the format of Keep a Changelog."""

import datetime as dt
import re
from pathlib import Path

from release.programs import Refused

_UNRELEASED = "## [Unreleased]\n"


def is_told(root: Path, version: str) -> bool:
    """Whether the changelog has a section of this version, with its date."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return re.search(heading, _read(root), re.MULTILINE) is not None


def give_version(root: Path, version: str, day: dt.date) -> Path:
    """Turn what is under "Unreleased" into the section of this version; :class:`Refused` where nothing is."""
    before, found, rest = _read(root).partition(_UNRELEASED)
    changes, heading, older = rest.partition("\n## ")
    if not found or not re.search(r"^- ", changes, re.MULTILINE):
        raise Refused("CHANGELOG.md tells no change under [Unreleased]")
    section = f"{_UNRELEASED}\n## [{version}] - {day.isoformat()}\n{changes}"
    path = root / "CHANGELOG.md"
    path.write_text(f"{before}{section}{heading}{older}", "utf-8")
    return path


def _read(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text("utf-8")
