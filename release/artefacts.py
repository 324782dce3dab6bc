"""The sdists and wheels of a clean source tree: built twice over, and held to contain what belongs and nothing else."""

import filecmp
import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from release.programs import Refused, run
from release.workspace import metadata, projects

#: At the top of an sdist, beside the package. Hatchling adds the last two.
_BESIDE = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
_ADDED = (".gitignore", "PKG-INFO")

#: A link that leads nowhere from the page of a registry.
_RELATIVE_LINK = re.compile(r"\]\((?!https?://|#)[^)]*\)")


def build(source: Path, dist: Path, *, epoch: str) -> None:
    """Fill ``dist`` with an sdist and a wheel of each distribution, once all of them are found good.

    The wheels are made of the sdists; they are byte for byte those of the tree. ``epoch``: the date of what is in them,
    in seconds of Unix time.
    """
    belonging = {project: _expected(project) for project in projects(source)}  # before a build leaves anything there
    dated = {"SOURCE_DATE_EPOCH": epoch}
    of_tree = source.parent / "wheels-of-the-tree"
    run("uv", "build", "--all-packages", "--out-dir", dist, cwd=source, environment=dated)
    run("uv", "build", "--all-packages", "--wheel", "--out-dir", of_tree, cwd=source, environment=dated)
    for path in (dist / ".gitignore", of_tree / ".gitignore"):  # uv keeps its output out of commits
        path.unlink(missing_ok=True)
    wheels = sorted(dist.glob("*.whl"))
    different = filecmp.cmpfiles(dist, of_tree, [path.name for path in wheels], shallow=False)
    if any(different[1:]):
        raise Refused(f"built from the sdist and from the tree, these differ: {different[1] + different[2]}")
    expected_names = set()
    for project, files in belonging.items():
        expected_names |= _check(project, files, dist)
    if {path.name for path in dist.iterdir()} != expected_names:
        raise Refused(f"built {sorted(path.name for path in dist.iterdir())}, not {sorted(expected_names)}")
    run("twine", "check", "--strict", *sorted(dist.iterdir()))
    run("check-wheel-contents", *wheels)


def _expected(project: Path) -> set[str]:
    package = next(project.glob("signer_*/py.typed")).parent
    return {str(path.relative_to(project)) for path in package.rglob("*") if path.is_file()}


def _check(project: Path, package: set[str], dist: Path) -> set[str]:
    """Compare both archives of a distribution with its sources; their names."""
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
