"""The documents are complete, and lead somewhere. conftest.py runs their examples; tests/docs has the site of them."""

import ast
import re
from pathlib import Path

import pytest

from conftest import LANGUAGES, documents
from signer_core import hookspecs
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


#: Where the reference tells of hooks.
HOOKS = {
    hookspecs.BackendHooks: "The hooks of a backend",
    hookspecs.ExtensionHooks: "The hooks of an extension",
    hookspecs.AttachedHooks: "The hooks of what is attached",
}


@pytest.mark.parametrize(("owner", "heading"), HOOKS.items())
def test_every_hook_is_in_the_reference_with_its_docstring_and_what_none_and_raising_mean(
    owner: type, heading: str
) -> None:
    described = re.split(r"^### ", section("hooks.md", heading), flags=re.MULTILINE)[1:]
    assert [text.partition("\n")[0] for text in described] == [f"`{name}`" for name in public_methods(owner)]
    told = [re.findall(r"^\.\. automethod:: (.*)$", text, re.MULTILINE) for text in described]
    assert told == [[f"signer_core.hookspecs.{owner.__name__}.{name}"] for name in public_methods(owner)]
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).is_file()] == []


#: What ``sh`` blocks are for: what installs, publishes or fetches something, is run by .ci/run, or needs a server.
NOT_RUN = re.compile(
    r"(pip|apt-get) (install|download) |uv |bash \.ci/|signer demo|git clone |SOURCE_DATE_EPOCH=|sha256sum --check "
    r"|python -m (build|venv) |(cd /tmp && )?clean/bin/|mypy && ruff check|ssh(-add -L \| ssh)? server"
)


@pytest.mark.parametrize(
    "document",
    [each for each in DOCUMENTS if each != tutorial.PAGE],  # all of that is run by tests/tutorial.py
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_block_is_run_or_a_file_or_output(document: Path) -> None:
    blocks = re.findall(r"^ *(`{3,})(\S*)[^\n]*\n(.*?)^ *\1", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for _, language, content in blocks:
        if language == "sh":
            assert [line for line in content.splitlines() if line and not NOT_RUN.match(line)] == []
        else:
            assert language in ("python", "console", *LANGUAGES) or language.startswith("{"), content


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
