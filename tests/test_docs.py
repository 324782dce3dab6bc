"""The documents are complete, and lead somewhere. conftest.py runs their examples."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import attrs
import click
import pytest

from conftest import documents
from signer_core import Backend, Extension, SignEvent, SigningKey, errors, hookspecs
from signer_core.cli import COMMANDS, main
from signer_core.errors import SignerError
from signer_core.installed import Installed, installed_plugins
from signer_core.plugins import BackendPlugin, ExtensionPlugin, load_backend, load_extension
from signer_core.settings import CORE_OPTIONS
from signer_core.testing import SigningKeyConformance
from tests import tutorial

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")]


def section(document: str, heading: str) -> str:
    """What stands under ``## HEADING`` in a page of the reference."""
    _, found, rest = (REFERENCE / document).read_text("utf-8").partition(f"\n## {heading}\n")
    assert found, f"{document} lacks the section {heading}"
    return rest.partition("\n## ")[0]


def public_methods(owner: type) -> list[str]:
    return [name for name in vars(owner) if not name.startswith("_")]


@pytest.mark.parametrize(
    "error", [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, SignerError)]
)
def test_every_error_is_in_the_reference_with_its_code(error: type[SignerError]) -> None:
    text = (REFERENCE / "errors.md").read_text("utf-8")
    assert re.search(rf"`{error.__name__}`.*`{error.code}`", text)


def test_every_option_of_the_core_is_in_the_reference() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", section("options.md", "Of every backend"), re.MULTILINE)) == CORE_OPTIONS


OURS = [each for each in installed_plugins() if each.distribution.startswith("signer-")]


def loaded(plugin: Installed) -> BackendPlugin | ExtensionPlugin:
    return load_backend(plugin.name) if plugin.kind == "backend" else load_extension(plugin.name)


@pytest.mark.parametrize("plugin", OURS, ids=lambda each: each.name)
def test_every_option_of_a_plugin_is_in_the_reference(plugin: Installed) -> None:
    found = loaded(plugin)
    description = found.backend if isinstance(found, BackendPlugin) else found.extension
    options = attrs.fields_dict(description.config_class)
    text = section("options.md", f"`{plugin.name}`" if plugin.kind == "backend" else f"`extensions.{plugin.name}`")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(options)


@pytest.mark.parametrize(
    "owner",
    [
        hookspecs.BackendHooks,
        hookspecs.ExtensionHooks,
        hookspecs.AttachedHooks,
        SigningKey,
        Backend,
        Extension,
        SignEvent,
    ],
)
def test_every_member_of_the_contract_is_in_the_reference(owner: type) -> None:
    members = [field.name for field in attrs.fields(owner)] if attrs.has(owner) else public_methods(owner)
    text = (REFERENCE / "hooks.md").read_text("utf-8")
    assert [name for name in members if not re.search(rf"`{name}\b", text)] == []


#: Where the reference tells of hooks.
HOOKS = {
    hookspecs.BackendHooks: "The hooks of a backend",
    hookspecs.ExtensionHooks: "The hooks of an extension",
    hookspecs.AttachedHooks: "The hooks of what is attached",
}


@pytest.mark.parametrize(("owner", "heading"), HOOKS.items())
def test_every_hook_is_in_the_reference_with_its_signature_and_what_none_and_raising_mean(
    owner: type, heading: str
) -> None:
    described = re.split(r"^### ", section("hooks.md", heading), flags=re.MULTILINE)[1:]
    expected = []
    for name in public_methods(owner):
        _, *parameters = inspect.signature(getattr(owner, name)).parameters
        expected.append(f"`{name}({', '.join(parameters)})")
    assert [text.partition(" ->")[0].partition("`\n")[0].removesuffix("`") for text in described] == expected
    for text in described:
        rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", text, re.MULTILINE)
        assert rows[:4] == ["when", "how often", "returning `None`", "raising"]


@pytest.mark.parametrize("name", sorted({name for owner in HOOKS for name in public_methods(owner)}))
def test_every_hook_has_an_example_in_the_reference(name: str) -> None:
    examples = re.findall(
        r"^```python\n(.*?)^```$", (REFERENCE / "hooks.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert any(re.search(rf"@hookimpl\n *def {name}\(", example) for example in examples)


def test_every_test_of_the_conformance_kit_is_told() -> None:
    text = (ROOT / "docs" / "how-to" / "test-your-backend.md").read_text("utf-8")
    told = re.findall(r"`(test_\w+)`", text)
    assert sorted(told) == [name for name in dir(SigningKeyConformance) if name.startswith("test_")]


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main, info_name="signer")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
    for plugin in installed_plugins():
        group = loaded(plugin).commands()
        if group is not None:
            yield from ((f"{group.name} {name}", command) for name, command in group.commands.items())


@pytest.mark.parametrize(("name", "command"), [pytest.param(name, command, id=name) for name, command in commands()])
def test_every_command_is_in_the_reference_with_its_options(name: str, command: click.Command) -> None:
    text = section("command.md", f"`signer {name}`")
    flags = [max(each.opts, key=len) for each in command.params if isinstance(each, click.Option)]
    assert [flag for flag in flags if not re.search(rf"`{flag}\b", text)] == []


def test_every_option_of_signer_itself_is_in_the_reference() -> None:
    text = section("command.md", "Options")
    assert [each.opts for each in main.params if not any(f"`{option}" in text for option in each.opts)] == []


#: The programs besides `signer`, which applications on the core bring.
PROGRAMS = [
    each
    for each in entry_points(group="console_scripts")
    if each.name != "signer" and each.dist is not None and each.dist.name.startswith("signer-")
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
def test_every_program_is_in_the_reference_with_its_options(program: EntryPoint) -> None:
    command = program.load()
    (page,) = [each for each in REFERENCE.glob("*.md") if f"\n## `{program.name}`\n" in each.read_text("utf-8")]
    text = section(page.name, f"`{program.name}`")
    flags = [max(each.opts, key=len) for each in command.params if isinstance(each, click.Option)]
    assert [flag for flag in flags if not re.search(rf"`{flag}\b", text)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).is_file()] == []


def test_every_page_is_linked_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/*/*.md")]
    assert [page for page in pages if f"({page})" not in index] == []


def test_the_examples_of_every_page_are_run() -> None:
    elsewhere = [path for path in ROOT.glob("docs/**/*.md") if not documents.should_parse(path)]
    assert elsewhere == [tutorial.PAGE]


def layers() -> list[str]:
    """The modules of signer_core, in the order that CONTRIBUTING gives."""
    tree = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("signer_core/")[2].partition("\nplugins/")[0]
    return re.findall(r"^  (\w+)(?:\.py|/) ", tree, re.MULTILINE)


def test_every_module_is_in_contributing() -> None:
    modules = {path.stem for path in (ROOT / "signer_core").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "signer_core").glob("*/__init__.py")}
    assert set(layers()) == modules | packages


@pytest.mark.parametrize("layer", layers())
def test_imports_point_down_the_list_in_contributing(layer: str) -> None:
    order = layers()
    above = set(order[: order.index(layer)])
    top = ROOT / "signer_core"
    for path in [top / f"{layer}.py"] if (top / f"{layer}.py").exists() else (top / layer).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("signer_core."):
                assert (node.module or "").split(".")[1] not in above, f"{path}:{node.lineno}"
            elif isinstance(node, ast.ImportFrom) and node.module == "signer_core":
                assert not above & {each.name for each in node.names}, f"{path}:{node.lineno}"
