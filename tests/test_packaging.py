"""What must hold of the distributions of the workspace, all of them at once."""

import ast
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, entry_points, packages_distributions
from pathlib import Path

import pytest

from release.workspace import core_range, differences, metadata, projects, templates
from signer_core.distributions import OURS
from signer_core.hookspecs import BACKENDS_GROUP, EXTENSIONS_GROUP

ROOT = Path(__file__).parent.parent
PROJECTS = projects(ROOT)
PLUGINS = PROJECTS[1:]
TEMPLATES = templates(ROOT)
PROGRAMS = "console_scripts"
VERSION = metadata(ROOT)["version"]

every_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
every_plugin = pytest.mark.parametrize("project", PLUGINS, ids=lambda path: path.name)
every_template = pytest.mark.parametrize("project", TEMPLATES, ids=lambda path: path.name)
every_plugin_and_template = pytest.mark.parametrize("project", [*PLUGINS, *TEMPLATES], ids=lambda path: path.name)


def package(project: Path) -> Path:
    return next(path.parent for path in project.glob("signer_*/py.typed"))


def test_every_plugin_has_a_project() -> None:
    assert [path.name for path in PLUGINS] == sorted(
        path.name for path in (ROOT / "plugins").iterdir() if any(path.glob("signer_*"))
    )


def test_all_share_one_version_and_plugins_require_the_core_of_it() -> None:
    assert differences(ROOT, VERSION) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ((f'version = "{VERSION}"', 'version = "9.9.9"'), f"the version is 9.9.9, not {VERSION}"),
        ((core_range(VERSION), "signer-core>=0.0.1"), f"it requires signer-core>=0.0.1, not {core_range(VERSION)}"),
        ((f'"{core_range(VERSION)}"', ""), f"it requires no signer-core, not {core_range(VERSION)}"),
    ],
)
@every_plugin
def test_a_plugin_of_another_version_or_range_is_found(
    project: Path, changed: tuple[str, str], problem: str, tmp_path: Path
) -> None:
    name = project.relative_to(ROOT) / "pyproject.toml"
    for each in [*PROJECTS, *TEMPLATES]:
        place = tmp_path / each.relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(each / "pyproject.toml", place)
    text = (ROOT / name).read_text("utf-8")
    assert changed[0] in text
    (tmp_path / name).write_text(text.replace(*changed), "utf-8")
    assert differences(tmp_path, VERSION) == [f"{name}: {problem}"]


@every_project
def test_installation_is_of_this_version(project: Path) -> None:
    assert distribution(metadata(project)["name"]).version == metadata(project)["version"]


@every_project
def test_name_of_the_distribution_is_the_name_of_its_package(project: Path) -> None:
    assert metadata(project)["name"].replace("-", "_") == package(project).name


@every_plugin
def test_what_a_plugin_brings_is_named_after_it_and_comes_from_its_package(project: Path) -> None:
    """A backend or an extension; or, of an application on the core, programs."""
    found = metadata(project)
    served = [
        (group, name, value) for group, names in found.get("entry-points", {}).items() for name, value in names.items()
    ]
    programs = [(PROGRAMS, name, value) for name, value in found.get("scripts", {}).items()]
    for group, name, value in served:
        assert group in (BACKENDS_GROUP, EXTENSIONS_GROUP)
        assert name == project.name.replace("_", "")
        assert value == package(project).name
    for _, name, value in programs:
        assert name.startswith(f"{found['name']}-")
        assert value.startswith(f"{package(project).name}.")
    assert len(served) == 1 or (programs and not served)
    for group, name, value in [*served, *programs]:
        assert [each.value for each in entry_points(group=group, name=name)] == [value]


def test_the_core_knows_by_name_what_all_of_them_serve() -> None:
    served: dict[str, dict[str, str]] = {BACKENDS_GROUP: {}, EXTENSIONS_GROUP: {}}
    for found in map(metadata, PLUGINS):
        for group, names in found.get("entry-points", {}).items():
            served[group] |= dict.fromkeys(names, found["name"])
    assert served == OURS


@every_template
def test_new_distributions_need_the_python_and_the_build_backend_that_the_core_needs(project: Path) -> None:
    assert metadata(project)["requires-python"] == metadata(ROOT)["requires-python"]
    own, core = (
        tomllib.loads((each / "pyproject.toml").read_text("utf-8"))["build-system"] for each in (project, ROOT)
    )
    assert own["build-backend"] == core["build-backend"]
    assert set(own["requires"]) <= set(core["requires"])


@every_project
def test_python_is_as_old_as_the_classifiers_say(project: Path) -> None:
    versions = [each.rpartition(" ")[2] for each in metadata(project)["classifiers"] if "Python :: 3." in each]
    assert metadata(project)["requires-python"] == f">={versions[0]}"


@every_project
def test_classifiers_name_what_the_checks_run_on(project: Path) -> None:
    pythons = re.search(r"for version in ([\d. ]+);", (ROOT / ".ci" / "tools.sh").read_text("utf-8"))
    assert pythons
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert re.findall(r"^ +(3\.\d+)$", workflow, re.MULTILINE) == pythons[1].split()
    found = metadata(project)["classifiers"]
    assert [each for each in found if re.search(r"Python :: \d\.", each)] == [
        f"Programming Language :: Python :: {each}" for each in pythons[1].split()
    ]
    assert [each for each in found if each.startswith("Operating System")] == ["Operating System :: POSIX :: Linux"]
    assert "Typing :: Typed" in found


@every_plugin
def test_readme_of_a_plugin_leads_nowhere_that_a_registry_has_not(project: Path) -> None:
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", (project / "README.md").read_text("utf-8")) == []


@every_project
def test_metadata_are_those_of_the_root(project: Path) -> None:
    for fact in ("authors", "license-files", "requires-python"):
        assert metadata(project)[fact] == metadata(ROOT)[fact]


@every_project
def test_licence_is_the_one_of_the_root(project: Path) -> None:
    assert metadata(project)["license"] == "Apache-2.0"
    assert (project / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@every_plugin_and_template
def test_bounds_of_shared_dependencies_are_those_of_the_core(project: Path) -> None:
    core = set(metadata(ROOT)["dependencies"])
    names = {re.split("[<>=]", each)[0] for each in core}
    assert {each for each in metadata(project)["dependencies"] if re.split("[<>=]", each)[0] in names} <= core


def imported(project: Path) -> set[str]:
    """The distributions that a package's modules import, its own and the standard library's left out."""
    names = set()
    for path in package(project).rglob("*.py"):
        if "templates" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    known = packages_distributions()
    return {
        re.sub(r"[-_.]+", "-", known.get(name, [name])[0]).lower()
        for name in names - sys.stdlib_module_names - {package(project).name}
    }


@every_project
def test_what_is_imported_is_required_and_what_is_required_is_imported(project: Path) -> None:
    extras = [each for extra in metadata(project).get("optional-dependencies", {}).values() for each in extra]
    required, optional = (
        {re.split(r"[\[<>=]", each)[0] for each in requirements}
        for requirements in (metadata(project)["dependencies"], extras)
    )
    assert imported(project) - optional == required


@every_plugin
def test_a_bare_uv_sync_installs_the_plugin(project: Path) -> None:
    development = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = {re.split(r"[\[<>=]", each)[0] for each in development["dependency-groups"]["dev"]}
    assert metadata(project)["name"] in names
    assert development["tool"]["uv"]["sources"][metadata(project)["name"]] == {"workspace": True}


def committed() -> Iterator[Path]:
    """The files that are, or may be, in the repository: none of those that .gitignore names."""
    for top in ROOT.iterdir():
        if top.name in (".git", "dist", "build", "uv.lock") or re.match(
            r"\.(venv|\w+_cache|hypothesis|coverage)", top.name
        ):
            continue
        for path in top.rglob("*") if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_nothing_names_the_host_of_a_registry() -> None:
    # written so that it does not name one itself
    host = re.compile(rb"pypi[.]org|python[h]osted[.]org|https?://\S+/simple\b")
    assert [path for path in committed() if host.search(path.read_bytes())] == []
