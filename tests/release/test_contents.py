"""Archives hold what belongs, and nothing else."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.contents import check_contents, package_files
from release.programs import Refused

STEM = "signer_thing-1.0.0"
INFORMATION = f"{STEM}.dist-info"
SDIST = {
    "signer_thing/__init__.py": b"",
    "signer_thing/py.typed": b"",
    "LICENSE": b"",
    "README.md": b"",
    "pyproject.toml": b"",
    ".gitignore": b"",
    "PKG-INFO": b"",
}
WHEEL = {
    "signer_thing/__init__.py": b"",
    "signer_thing/py.typed": b"",
    f"{INFORMATION}/METADATA": b"Name: signer-thing\n\n# A thing, as [PEP 1](https://peps.python.org) has it\n",
    f"{INFORMATION}/RECORD": b"",
    f"{INFORMATION}/WHEEL": b"",
    f"{INFORMATION}/licenses/LICENSE": b"",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / "signer_thing").mkdir(parents=True)
    for name in ("LICENSE", "README.md", "signer_thing/__init__.py", "signer_thing/py.typed"):
        (place / name).touch()
    (place / "pyproject.toml").write_text('[project]\nname = "signer-thing"\nversion = "1.0.0"\n')
    (tmp_path / "dist").mkdir()
    return place


def check(project: Path, sdist: dict[str, bytes], wheel: dict[str, bytes]) -> set[str]:
    dist = project.parent / "dist"
    with tarfile.open(dist / f"{STEM}.tar.gz", "w:gz") as archive:
        for name, content in sdist.items():
            information = tarfile.TarInfo(f"{STEM}/{name}")
            information.size = len(content)
            archive.addfile(information, io.BytesIO(content))
    with zipfile.ZipFile(dist / f"{STEM}-py3-none-any.whl", "w") as zipped:
        for name, content in wheel.items():
            zipped.writestr(name, content)
    return check_contents(project, package_files(project), dist)


def without(archive: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {each: content for each, content in archive.items() if each != name}


def test_what_belongs_is_accepted(project: Path) -> None:
    assert check(project, SDIST, WHEEL) == {f"{STEM}.tar.gz", f"{STEM}-py3-none-any.whl"}


@pytest.mark.parametrize("name", ["signer_thing/py.typed", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"])
def test_an_sdist_that_lacks_a_file_is_refused(name: str, project: Path) -> None:
    with pytest.raises(Refused, match=rf"{STEM}\.tar\.gz lacks \['{name}'\]"):
        check(project, without(SDIST, name), WHEEL)


@pytest.mark.parametrize("name", ["signer_thing/py.typed", f"{INFORMATION}/licenses/LICENSE"])
def test_a_wheel_that_lacks_a_file_is_refused(name: str, project: Path) -> None:
    with pytest.raises(Refused, match=rf"{STEM}-py3-none-any\.whl lacks \['{name}'\]"):
        check(project, SDIST, without(WHEEL, name))


@pytest.mark.parametrize("name", ["signer_thing/notes.txt", "tests/test_thing.py", ".env", "uv.lock"])
def test_what_does_not_belong_is_refused(name: str, project: Path) -> None:
    with pytest.raises(Refused, match=rf"{STEM}\.tar\.gz .* does not belong: \['{name}'\]"):
        check(project, {**SDIST, name: b""}, WHEEL)
    with pytest.raises(Refused, match=rf"{STEM}-py3-none-any\.whl .* does not belong: \['{name}'\]"):
        check(project, SDIST, {**WHEEL, name: b""})


def test_entry_points_that_are_declared_must_be_there(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('[project.entry-points."signer_core.backends"]\nthing = "signer_thing"\n')
    with pytest.raises(Refused, match=r"entry_points\.txt"):
        check(project, SDIST, WHEEL)
    check(project, SDIST, {**WHEEL, f"{INFORMATION}/entry_points.txt": b""})


def test_a_readme_whose_links_lead_nowhere_from_a_registry_is_refused(project: Path) -> None:
    metadata = b"Name: signer-thing\n\n[Options](docs/options.md), [PEP 1](https://peps.python.org), [this](#this)\n"
    with pytest.raises(Refused, match=r"links that lead nowhere from a registry: \]\(docs/options\.md\)$"):
        check(project, SDIST, {**WHEEL, f"{INFORMATION}/METADATA": metadata})
