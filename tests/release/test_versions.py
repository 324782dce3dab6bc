"""The one version of all distributions: written by one command, and refused in a release where it does not fit."""

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from release.__main__ import main
from release.workspace import core_range, differences, metadata, pages, projects, templates

ROOT = Path(__file__).parent.parent.parent
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7dvj9clX1lKOvJBozkKbU1HfjKE2qAZB4g+lF3/DCe"
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.0.1] - 2020-01-01\n\n- The first.\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files in which a version stands, and what else makes a checkout."""
    place = tmp_path / "checkout"
    for project in [*projects(ROOT), *templates(ROOT)]:
        copy = place / project.relative_to(ROOT)
        copy.mkdir(parents=True)
        shutil.copy(project / "pyproject.toml", copy)
    for page in pages(ROOT):
        copy = place / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, copy)
    (place / "signer_core" / "py.typed").touch()
    (place / "CHANGELOG.md").write_text(CHANGELOG)
    (place / "release").mkdir()
    (place / "release" / "allowed_signers").write_text(f"releases@example.com {KEY}\n")
    (tmp_path / "release.pub").write_text(f"{KEY} a comment\n")
    monkeypatch.chdir(place)
    return place


def release(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def build(version: str, key: str = "../release.pub") -> Result:
    return release("build", version, "--key", key)


def git(*arguments: str) -> None:
    who = ["-c", "user.name=Release", "-c", "user.email=release@example.com"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def committed() -> None:
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "All of it")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.1.0", "signer-core>=0.1.0,<0.2"),
        ("0.9.3", "signer-core>=0.9.3,<0.10"),
        ("1.0.0", "signer-core>=1.0.0,<2"),
        ("1.4.2rc1", "signer-core>=1.4.2rc1,<2"),
        ("12.0.1", "signer-core>=12.0.1,<13"),
    ],
)
def test_a_plugin_requires_its_own_release_or_a_later_compatible_one(version: str, expected: str) -> None:
    assert core_range(version) == expected


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0", "2.3.4rc1"])
def test_prepare_writes_the_version_wherever_it_stands(version: str, checkout: Path) -> None:
    result = release("prepare", version)
    assert (result.exit_code, differences(checkout, version)) == (0, [])
    assert {metadata(project)["version"] for project in projects(checkout)} == {version}
    assert {metadata(template)["version"] for template in templates(checkout)} == {"0.1.0"}
    for project in [*projects(ROOT), *templates(ROOT)]:
        name = project.relative_to(ROOT) / "pyproject.toml"
        before, after = (re.split(r"\n", (root / name).read_text("utf-8")) for root in (ROOT, checkout))
        assert sum(one != other for one, other in zip(before, after, strict=True)) <= 2


def test_prepare_writes_the_range_into_the_tutorial_that_shows_it(checkout: Path) -> None:
    release("prepare", "0.2.0")
    [page] = pages(checkout)
    assert page == checkout / "docs" / "tutorial" / "first-backend.md"
    assert '"signer-core>=0.2.0,<0.3"' in page.read_text("utf-8")
    assert differences(checkout, "0.3.0")[-1] == (
        "docs/tutorial/first-backend.md: it shows signer-core>=0.2.0,<0.3, not signer-core>=0.3.0,<0.4"
    )


def test_prepare_gives_the_changes_a_version_and_a_date(checkout: Path) -> None:
    release("prepare", "0.2.0")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    assert (checkout / "CHANGELOG.md").read_text() == CHANGELOG.replace(
        "## [Unreleased]\n", f"## [Unreleased]\n\n## [0.2.0] - {today}\n"
    )


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0.1", "01.0.0", "1.0.0-rc1", "", "1.0.0\n"])
def test_prepare_refuses_what_is_no_version_and_writes_nothing(version: str, checkout: Path) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    result = release("prepare", version)
    assert result.exit_code == 2
    assert "write one such as 1.2.0 or 1.2.0rc1" in result.output
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_prepare_refuses_a_version_that_is_told_already(checkout: Path) -> None:
    result = release("prepare", "0.0.1")
    assert (result.exit_code, result.output) == (1, "Error: CHANGELOG.md has a section of 0.0.1 already\n")


def test_prepare_refuses_a_release_without_changes(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(CHANGELOG.replace("- A thing.\n", ""))
    result = release("prepare", "0.2.0")
    assert (result.exit_code, result.output) == (1, "Error: CHANGELOG.md tells no change under [Unreleased]\n")


@pytest.mark.usefixtures("checkout")
def test_build_refuses_another_version_than_that_of_the_checkout() -> None:
    release("prepare", "0.2.0")
    result = build("0.3.0")
    assert result.exit_code == 1
    assert "plugins/file/pyproject.toml: the version is 0.2.0, not 0.3.0\n" in result.output
    assert "plugins/file/pyproject.toml: it requires signer-core>=0.2.0,<0.3, not signer-core>=0.3.0,<0.4\n" in (
        result.output
    )
    assert "CHANGELOG.md has no section ## [0.3.0] - YYYY-MM-DD\n" in result.output
    assert "python -m release prepare 0.3.0 writes all of that\n" in result.output


@pytest.mark.peer("git")
def test_build_refuses_what_is_not_committed(checkout: Path) -> None:
    release("prepare", "0.2.0")
    committed()
    (checkout / "signer_core" / "left_over.py").touch()
    result = build("0.2.0")
    assert result.exit_code == 1
    assert "is made of what is committed, and this is not:\n?? signer_core/left_over.py\n" in result.output


@pytest.mark.peer("git")
@pytest.mark.usefixtures("checkout")
def test_build_refuses_a_version_that_is_tagged_elsewhere() -> None:
    release("prepare", "0.2.0")
    committed()
    git("tag", "v0.2.0")
    git("commit", "--quiet", "--allow-empty", "--message", "Later")
    result = build("0.2.0")
    assert (result.exit_code, result.output) == (
        1,
        "Error: v0.2.0 is another commit than the one that is checked out\n",
    )


@pytest.mark.peer("git")
@pytest.mark.parametrize("allowed", ["", f"# releases@example.com {KEY}\n", f"releases@example.com {KEY[:-4]}AAAA\n"])
def test_build_refuses_a_key_that_nobody_could_verify_with(allowed: str, checkout: Path) -> None:
    release("prepare", "0.2.0")
    (checkout / "release" / "allowed_signers").write_text(allowed)
    committed()
    result = build("0.2.0")
    assert result.exit_code == 1
    assert "release/allowed_signers does not list the key in ../release.pub" in result.output
    assert f'releases@signer-core namespaces="file" {KEY}\n' in result.output


@pytest.mark.peer("git")
@pytest.mark.usefixtures("checkout")
def test_build_refuses_what_is_no_public_key() -> None:
    release("prepare", "0.2.0")
    committed()
    result = build("0.2.0", key="README.pub")
    assert result.exit_code == 1
    assert "README.pub is no public key of SSH's; signer show --format openssh writes one" in result.output


@pytest.mark.peer("git")
def test_build_never_writes_into_an_older_release(checkout: Path) -> None:
    release("prepare", "0.2.0")
    (checkout / ".gitignore").write_text("dist/\n")
    committed()
    (checkout / "dist").mkdir()
    result = build("0.2.0")
    assert (result.exit_code, result.output) == (
        1,
        "Error: dist is there already; nothing is written into an older release\n",
    )


def test_anywhere_else_the_command_says_where_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = release("prepare", "0.2.0")
    assert (result.exit_code, result.output) == (1, "Error: run this in the top directory of a checkout\n")
