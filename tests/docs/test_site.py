"""The site leads somewhere, by itself, and its reference has all there is."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs
import click
import pytest
from sphinx.util.inventory import InventoryFile

import signer_core
from signer_core import (
    Algorithm,
    Backend,
    Deadline,
    Extension,
    PublicKey,
    Secret,
    Signer,
    SignEvent,
    SigningKey,
    errors,
    hookspecs,
    testing,
)
from signer_core.cli import COMMANDS, main
from signer_core.core_options import CORE_OPTIONS
from signer_core.errors import SignerError
from signer_core.extension_plugin import ExtensionPlugin, load_extension
from signer_core.installed import installed_plugins
from signer_core.plugins import BackendPlugin, load_backend

pytestmark = pytest.mark.slow

PLUGINS: list[BackendPlugin | ExtensionPlugin] = [
    load_backend(each.name) if each.kind == "backend" else load_extension(each.name)
    for each in installed_plugins()
    if each.distribution.startswith("signer-")
]


@pytest.fixture(scope="module")
def inventory(site: Path) -> dict[str, set[str]]:
    """The names that the site tells of, by their kind: what it offers to other people's documents."""
    found = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {kind: set(names) for kind, names in found.data.items()}


@pytest.fixture(scope="module")
def names(inventory: dict[str, set[str]]) -> set[str]:
    """All names in Python."""
    return {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}


class Page(HTMLParser):
    """What a page refers to, and the places in it that others may refer to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids.add(given.get("id") or "")
        if tag == "a" or given.get("rel") in ("search", "index", "next", "prev"):
            self.links.append(given.get("href") or "")
        else:
            self.assets += [value for name in ("href", "src", "srcset", "data") if (value := given.get(name))]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_link_leads_to_a_place_that_there_is(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in (*page.links, *page.assets):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data", "mailto"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            is_place = not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].ids
            if not target.is_file() or not is_place:
                broken.append((str(path), link))
    assert broken == []


def test_no_page_needs_another_host(site: Path, pages: dict[Path, Page]) -> None:
    assert [asset for page in pages.values() for asset in page.assets if re.match(r"(https?:)?//", asset)] == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_front_page_leads_to_the_four_parts_in_order(pages: dict[Path, Page], site: Path) -> None:
    links = pages[site / "index.html"].links
    parts = [link for link in dict.fromkeys(links) if link.endswith("/index.html")]
    assert parts == ["tutorial/index.html", "how-to/index.html", "reference/index.html", "explanation/index.html"]


def test_each_page_is_listed_once(site: Path) -> None:
    for page in site.glob("*/index.html"):
        tree = page.read_text("utf-8").partition('<div class="sidebar-tree">')[2].partition("</aside>")[0]
        listed = re.findall(r'<a class="[^"]*reference internal" href="([^"]+)"', tree)
        assert sorted(listed) == sorted(set(listed))
        assert len(listed) > len(list(site.glob("*/index.html")))


@pytest.mark.parametrize("word", ["expected_address", "attempt_timeout", "PolicyViolationError", "sequencer"])
def test_search_knows_the_word(site: Path, word: str) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    assert re.search(rf"\b{word.lower()[:6]}", index.lower())


def all_errors() -> list[type[SignerError]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SignerError)]


def test_every_error_is_told_with_its_code_and_what_to_do(site: Path, names: set[str]) -> None:
    assert {f"signer_core.errors.{each.__name__}" for each in all_errors()} - names == set()
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "errors.html").read_text("utf-8"))
    for error in all_errors():
        _, _, told = text.partition(f"\nexception {error.__name__}")
        told = told.partition("\nexception ")[0]
        assert re.search(rf"What to do:\s+\S.*Code:\s+{error.code}\s+Retryable:\s+(yes|no)", told, re.DOTALL), error


def test_every_option_is_told(inventory: dict[str, set[str]]) -> None:
    expected = {f"core.{option}" for option in CORE_OPTIONS}
    for plugin in PLUGINS:
        described = plugin.backend if isinstance(plugin, BackendPlugin) else plugin.extension
        owner = plugin.name if isinstance(plugin, BackendPlugin) else f"extensions.{plugin.name}"
        expected |= {f"{owner}.{option}" for option in attrs.fields_dict(described.config_class)}
    assert inventory["std:confval"] == expected


def test_every_algorithm_is_told(site: Path) -> None:
    told = re.findall(
        r'<td><p><code[^>]*><span class="pre">([a-z0-9-]+)', (site / "reference/algorithms.html").read_text()
    )
    assert told[: len(Algorithm)] == list(Algorithm)


def public(owner: type) -> list[str]:
    fields = [field.name for field in attrs.fields(owner)] if attrs.has(owner) else []
    return [name for name in {*fields, *vars(owner)} if not name.startswith("_")]


@pytest.mark.parametrize(
    "owner",
    [
        hookspecs.BackendHooks,
        hookspecs.ExtensionHooks,
        hookspecs.AttachedHooks,
        hookspecs.CommandLine,
        hookspecs.Verdict,
        SigningKey,
        Backend,
        Extension,
        SignEvent,
        Deadline,
        PublicKey,
        Secret,
        Algorithm,
    ],
)
def test_every_member_is_told(owner: type, names: set[str]) -> None:
    place = "signer_core" if owner.__name__ in signer_core.__all__ else "signer_core.hookspecs"
    assert {f"{place}.{owner.__name__}.{name}" for name in public(owner)} - names == set()


def test_every_member_of_a_signer_is_told(names: set[str]) -> None:
    of_others = {"forget_other_threads"}  # for what knows of forks
    members = {name for name in dir(Signer) if not name.startswith("_")}
    assert {f"signer_core.Signer.{name}" for name in members - of_others} - names == set()


def test_every_public_name_is_told(names: set[str]) -> None:
    expected = {f"signer_core.{name}" for name in signer_core.__all__}
    expected |= {f"signer_core.testing.{name}" for name in testing.__all__}
    for plugin in PLUGINS:
        module = plugin.entry_point.load()
        expected |= {f"{module.__name__}.{name}" for name in getattr(module, "__all__", ())}
    assert expected - names == set()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, by the words that call it."""
    for program in entry_points(group="console_scripts"):
        if program.dist is not None and program.dist.name.startswith("signer-"):
            yield program.name, program.load()
    context = click.Context(main, info_name="signer")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield f"signer {name}", command
    for plugin in PLUGINS:
        group = plugin.commands()
        if group is not None:
            yield from ((f"signer {group.name} {name}", command) for name, command in group.commands.items())


def test_every_command_is_told_with_its_options(site: Path, inventory: dict[str, set[str]]) -> None:
    text = "".join((site / "reference" / page).read_text("utf-8") for page in ("command.html", "ssh.html"))
    usages = re.findall(r"^<div class=\"highlight-text.*?<pre><span></span>(.*?) (?:\[|FILE)", text, re.MULTILINE)
    expected = set()
    for name, command in commands():
        assert name in usages
        options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
        expected |= {f"{name.replace(' ', '-')}.{flag}" for each in options for flag in each.opts}
    assert inventory["std:cmdoption"] == expected
