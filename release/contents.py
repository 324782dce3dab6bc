"""What belongs into the sdist and the wheel of a distribution, and nothing else may be there."""

import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from release.programs import Refused
from release.workspace import metadata

#: At the top of an sdist, beside the package. Hatchling adds the last two.
_BESIDE = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
_ADDED = (".gitignore", "PKG-INFO")

#: A link that leads nowhere from the page of a registry.
_RELATIVE_LINK = re.compile(r"\]\((?!https?://|#)[^)]*\)")


def package_files(project: Path) -> set[str]:
    """The files of a distribution's package, relative to the distribution's directory."""
    package = next(project.glob("signer_*/py.typed")).parent
    return {str(path.relative_to(project)) for path in package.rglob("*") if path.is_file()}


def check_contents(project: Path, package: set[str], dist: Path) -> set[str]:
    """Hold both archives of a distribution to its sources; the archives' names.

    ``package``: what :func:`package_files` says of the clean tree. Raises :class:`Refused`.
    """
    about = metadata(project)
    stem = f"{about['name'].replace('-', '_')}-{about['version']}"
    sdist, wheel = dist / f"{stem}.tar.gz", dist / f"{stem}-py3-none-any.whl"
    beside = {name for name in _BESIDE if (project / name).is_file()}
    with tarfile.open(sdist) as archive:
        found = {str(PurePosixPath(each.name).relative_to(stem)) for each in archive.getmembers() if each.isfile()}
    _compare(sdist.name, found, package | beside | set(_ADDED))
    information = {"METADATA", "RECORD", "WHEEL", "licenses/LICENSE"}
    if about.keys() & {"scripts", "entry-points"}:
        information.add("entry_points.txt")
    with zipfile.ZipFile(wheel) as archive:
        _compare(wheel.name, set(archive.namelist()), package | {f"{stem}.dist-info/{each}" for each in information})
        described = archive.read(f"{stem}.dist-info/METADATA").decode()
    dead = _RELATIVE_LINK.findall(described.partition("\n\n")[2])
    if dead:
        raise Refused(f"{wheel.name}: its README has links that lead nowhere from a registry: {', '.join(dead)}")
    return {sdist.name, wheel.name}


def _compare(name: str, found: set[str], expected: set[str]) -> None:
    if found != expected:
        raise Refused(
            f"{name} lacks {sorted(expected - found) or 'nothing'}, and has what does not belong: "
            f"{sorted(found - expected) or 'nothing'}"
        )
