"""docs/explanation/dependencies.md tells of every dependency, and of no other."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

from release.dependencies import PAGE, Installed, installed, offers, size
from release.workspace import metadata, projects

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / PAGE).read_text("utf-8")
GENERATED, WHY = TEXT.split("<!-- end -->\n")
TABLE = re.findall(r"^\| `([\w-]+)` \| [^|]+\.[^|]+ \| [\d.]+ [kM]B \|", GENERATED, re.MULTILINE)
EVERYTHING = installed()
OWN = {name for name, _ in offers(ROOT)}


def dependencies() -> set[str]:
    """Whatever comes with any of the distributions or extras, in this environment."""
    return {each for name, extra in offers(ROOT) for each in EVERYTHING.closure(name, extra)} - OWN


def test_every_dependency_is_in_the_table() -> None:
    assert dependencies() - set(TABLE) == set()


@pytest.mark.parametrize("name", sorted(dependencies() | set(TABLE)))
def test_the_page_says_why_a_dependency_is_there(name: str) -> None:
    assert re.search(rf"`{name}`", WHY)


def ranges() -> Iterator[tuple[str, str]]:
    for project in projects(ROOT):
        about = metadata(project)
        extras = about.get("optional-dependencies", {})
        for requirement in [*about["dependencies"], *(each for extra in extras.values() for each in extra)]:
            if not requirement.startswith("signer-"):
                yield about["name"], requirement


@pytest.mark.parametrize(("name", "requirement"), list(ranges()))
def test_the_page_tells_the_range_of_each_requirement(name: str, requirement: str) -> None:
    rows = re.findall(rf"^\| `{name}(?:\[\w+\])?` \|.*$", GENERATED, re.MULTILINE)
    assert any(f"`{requirement}`" in row for row in rows)


def test_what_comes_with_an_extra_is_told_apart(tmp_path: Path) -> None:
    def made(name: str, *requirements: str) -> Distribution:
        place = tmp_path / f"{name}-1.0.dist-info"
        place.mkdir()
        lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {each}" for each in requirements)]
        (place / "METADATA").write_text("\n".join([*lines, ""]))
        return Distribution.at(place)

    found = Installed(
        {
            "one": made("one", "Two_Words>=2", 'three; extra == "more"', 'never; python_version < "3"'),
            "two-words": made("two-words", "four"),
            "three": made("three", "four"),
            "four": made("four"),
        }
    )
    assert found.required("one") == [("two-words", ">=2")]
    assert found.required("one", "more") == [("three", "")]
    assert list(found.tree("one")) == [("", "two-words", ">=2"), ("  ", "four", "")]
    assert (found.closure("one"), found.closure("one", "more")) == ({"two-words", "four"}, {"three", "four"})


def test_size_is_that_of_the_files_as_they_were_installed() -> None:
    record = distribution("pluggy").read_text("RECORD")
    assert record is not None
    listed = [line.rsplit(",", 2) for line in record.splitlines() if not line.rsplit(",", 2)[0].endswith(".pyc")]
    assert 0 < sum(int(count) for _, _, count in listed if count) <= size(distribution("pluggy"))
