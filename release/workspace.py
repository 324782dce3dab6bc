"""The distributions of a checkout, and the one version that they share."""

import re
import tomllib
from pathlib import Path
from typing import Any

from release.programs import Refused

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)((a|b|rc)\d+)?", re.ASCII)

_OWN_VERSION = re.compile(r'^version = "[^"]*"$', re.MULTILINE)
_CORE = re.compile(r'"(signer-core[>=<]+\d[^"]*)"')


def projects(root: Path) -> list[Path]:
    """The directories of all distributions, the core's first."""
    return [root, *sorted(path.parent for path in root.glob("plugins/*/pyproject.toml"))]


def templates(root: Path) -> list[Path]:
    """What ``signer new-…`` makes distributions of: with versions of their own, and the same range of the core's."""
    return sorted(path.parent for path in root.glob("signer_core/cli/templates/*/pyproject.toml"))


def pages(root: Path) -> list[Path]:
    """The documents that show authors of plugins the range of the core's."""
    return [path for path in sorted(root.glob("docs/**/*.md")) if _CORE.search(path.read_text("utf-8"))]


def metadata(project: Path) -> dict[str, Any]:
    """The table ``project`` of a pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def core_range(version: str) -> str:
    """What a plugin of this version requires of the core: at least the same, and nothing that may be incompatible.

    By Semantic Versioning that is the next major version, and before 1.0 the next minor one.
    """
    major, minor, _ = version.split(".", 2)
    ceiling = f"0.{int(minor) + 1}" if major == "0" else f"{int(major) + 1}"
    return f"signer-core>={version},<{ceiling}"


def differences(root: Path, version: str) -> list[str]:
    """What is not as it should be in a checkout of this version, a line each."""
    found = [
        f"{project.relative_to(root) / 'pyproject.toml'}: the version is {metadata(project)['version']}, not {version}"
        for project in projects(root)
        if metadata(project)["version"] != version
    ]
    for project in [*projects(root)[1:], *templates(root)]:
        ranges = [each for each in metadata(project)["dependencies"] if re.match(r"signer-core\b", each)]
        if ranges != [core_range(version)]:
            found.append(
                f"{project.relative_to(root) / 'pyproject.toml'}: it requires {', '.join(ranges) or 'no signer-core'}, "
                f"not {core_range(version)}"
            )
    for page in pages(root):
        shown = sorted({*_CORE.findall(page.read_text("utf-8"))} - {core_range(version)})
        if shown:
            found.append(f"{page.relative_to(root)}: it shows {', '.join(shown)}, not {core_range(version)}")
    return found


def set_version(root: Path, version: str) -> list[Path]:
    """Write the version wherever it stands; the files."""
    own = [each / "pyproject.toml" for each in projects(root)]
    new = {}
    for path in [*own, *(each / "pyproject.toml" for each in templates(root)), *pages(root)]:
        text = path.read_text("utf-8")
        if path in own:
            text = _OWN_VERSION.sub(f'version = "{version}"', text, count=1)
        new[path] = _CORE.sub(f'"{core_range(version)}"', text)
    for path, text in new.items():
        path.write_text(text, "utf-8")
    left = differences(root, version)
    if left:
        raise Refused("\n".join(left))
    return list(new)
