"""The sdists and wheels of a clean source tree, built twice over and checked."""

import filecmp
from pathlib import Path

from release.contents import check_contents, package_files
from release.programs import Refused, run
from release.workspace import projects


def build(source: Path, dist: Path, *, epoch: str) -> None:
    """Fill ``dist`` with an sdist and a wheel of each distribution, once all of them are found good.

    The wheels are made of the sdists; they are byte for byte those of the tree. ``epoch``: the date of what is in them,
    in seconds of Unix time.
    """
    # before a build leaves anything there
    belonging = {project: package_files(project) for project in projects(source)}
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
        expected_names |= check_contents(project, files, dist)
    if {path.name for path in dist.iterdir()} != expected_names:
        raise Refused(f"built {sorted(path.name for path in dist.iterdir())}, not {sorted(expected_names)}")
    run("twine", "check", "--strict", *sorted(dist.iterdir()))
    run("check-wheel-contents", *wheels)
