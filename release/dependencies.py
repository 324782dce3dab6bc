"""What an installation of each distribution brings: versions, sizes, licences; and the page that tells it."""

import datetime as dt
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import attrs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.licences import is_permissive, licence
from release.programs import Refused, run
from release.workspace import metadata, projects

PAGE = Path("docs", "explanation", "dependencies.md")
_GENERATED = re.compile(r"(<!-- by python -m release dependencies -->\n).*?(<!-- end -->\n)", re.DOTALL)

#: Where one of these stands in an environment, it came with it.
_INSTALLERS = {"pip", "setuptools"}


@attrs.frozen
class Installed:
    """The distributions of one environment, by normalized name."""

    found: dict[str, Distribution]

    def required(self, name: str, extra: str = "") -> list[tuple[str, str]]:
        """Each requirement of one, on this platform: the normalized name, and the range as it is written."""
        requirements = []
        for line in self.found[name].requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            wanted = marker is None or marker.evaluate({"extra": extra})
            if wanted and (not extra or (marker is not None and not marker.evaluate({"extra": ""}))):
                requirements.append((canonicalize_name(requirement.name), str(requirement.specifier)))
        return sorted(requirements)

    def tree(self, name: str, extra: str = "") -> Iterator[tuple[str, str, str]]:
        """All that one requires: indentation, normalized name, range; what each requires in turn only once."""
        told: set[str] = set()

        def below(name: str, extra: str, indent: str) -> Iterator[tuple[str, str, str]]:
            for each, versions in self.required(name, extra):
                yield indent, each, versions
                if each not in told:
                    told.add(each)
                    yield from below(each, "", f"{indent}  ")

        return below(name, extra, "")

    def closure(self, name: str, extra: str = "") -> set[str]:
        """The names of all that one requires."""
        return {each for _, each, _ in self.tree(name, extra=extra)}


def installed(site_packages: Path | None = None) -> Installed:
    """What is installed there, or in this environment."""
    found = distributions() if site_packages is None else distributions(path=[str(site_packages)])
    return Installed({canonicalize_name(each.name): each for each in found})


def size(distribution: Distribution) -> int:
    """The bytes of its files, without those that Python compiles."""
    places = [Path(str(each.locate())) for each in distribution.files or () if each.suffix != ".pyc"]
    return sum(place.stat().st_size for place in places if place.is_file())


def offers(root: Path) -> list[tuple[str, str]]:
    """What can be installed: each distribution by itself, then each with one of its extras."""
    about = [metadata(project) for project in projects(root)]
    extras = [(table["name"], extra) for table in about for extra in table.get("optional-dependencies", {})]
    return [*((table["name"], "") for table in about), *extras]


def check_licences(environment: Path) -> list[str]:
    """A line for each distribution in an environment; :class:`Refused` where one's licence is not permissive."""
    found = {name: licence(each) for name, each in installed(_site_packages(environment)).found.items()}
    refused = [name for name, expression in found.items() if name not in _INSTALLERS and not is_permissive(expression)]
    lines = [f"{name}: {expression or 'unknown'}" for name, expression in sorted(found.items())]
    if refused:
        raise Refused("\n".join([*lines, f"not known to be permissive: {', '.join(sorted(refused))}"]))
    return lines


def write_page(root: Path) -> Path:
    """Install everything, with all extras, in an environment of its own, and tell of it."""
    with tempfile.TemporaryDirectory(prefix="signer-dependencies-") as directory:
        environment = Path(directory, "environment")
        run("uv", "venv", "--python", sys.executable, environment)
        wanted = []
        for project in projects(root):
            about = metadata(project)
            extras = ",".join(about.get("optional-dependencies", {}))
            wanted.append(f"{about['name']}[{extras}] @ {project.absolute().as_uri()}")
        run("uv", "pip", "install", "--upgrade", "--python", environment, *wanted)
        text = "\n".join(_sections(root, installed(_site_packages(environment))))
    path = root / PAGE
    page, count = _GENERATED.subn(lambda match: f"{match[1]}{text}{match[2]}", path.read_text("utf-8"))
    if count != 1:
        raise Refused(f"{PAGE} has no place for what is generated")
    path.write_text(page, "utf-8")
    return PAGE


def _site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def _sections(root: Path, everything: Installed) -> Iterator[str]:
    own = {name for name, _ in offers(root)}
    sizes = {name: size(each) for name, each in everything.found.items()}
    yield (
        f"Installed on {dt.datetime.now(dt.UTC).date()}, with the newest versions of that day, on {platform.system()} "
        f"{platform.machine()} with Python {platform.python_version()}.\n"
    )
    yield "| `pip install` | packages besides ours | size of all | what it asks for itself |"
    yield "|---|---|---|---|"
    for name, extra in offers(root):
        closure = {name} | everything.closure(name) | everything.closure(name, extra)
        asked = ", ".join(
            f"`{each}{versions}`" for each, versions in everything.required(name, extra) if each not in own
        )
        yield f"| `{_label(name, extra)}` | {len(closure - own)} | {_megabytes(closure, sizes)} | {asked} |"
    yield "\n| package | version | size | licence | required by |"
    yield "|---|---|---|---|---|"
    for name, package in sorted(everything.found.items()):
        users = ", ".join(_users(everything, name, offers(root)))
        if name not in own:
            yield f"| `{name}` | {package.version} | {_megabytes({name}, sizes)} | {licence(package)} | {users} |"
    yield "\nThe whole trees, with the ranges that each package asks for:\n"
    yield "```text"
    for name, extra in offers(root):
        yield _label(name, extra)
        core_is_told = name != offers(root)[0][0]
        hidden = everything.closure("signer-core") if core_is_told and not extra else set()
        for indent, each, versions in everything.tree(name, extra):
            if not (hidden and indent and each in hidden):
                yield f"  {indent}{each} {'' if each in own else versions}".rstrip()
    yield "```\n"


def _users(everything: Installed, name: str, offered: list[tuple[str, str]]) -> list[str]:
    """What asks for one: a distribution by itself, or one of ours with an extra."""
    extras = [
        _label(each, extra) for each, extra in offered if extra and name in dict(everything.required(each, extra))
    ]
    return sorted([*(each for each in everything.found if name in dict(everything.required(each))), *extras])


def _label(name: str, extra: str) -> str:
    return f"{name}[{extra}]" if extra else name


def _megabytes(names: set[str], sizes: dict[str, int]) -> str:
    total = sum(sizes[each] for each in names)
    return f"{total / 1e6:.1f} MB" if total >= 1e6 else f"{total / 1e3:.0f} kB"
