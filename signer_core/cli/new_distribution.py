"""A new distribution out of a template: a working plugin under the name of the caller's choice.

The templates are distributions themselves, of plugins that are called "example": nothing is made but by putting another
name in its place.
"""

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from signer_core.cli import COMMANDS
from signer_core.cli.failures import Failure, reason

#: So that ``signer-NAME``, ``signer_NAME`` and the classes that are called after it are names, and lines stay short.
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_LONGEST = 30


def write_distribution(kind: str, name: str, output: str | None) -> str:
    """Write the distribution of a new plugin into a new directory; return what to do next.

    ``kind`` is "backend" or "extension"; ``output`` the directory, by default ``signer-NAME``. It is there whole or not
    at all. Raises :class:`Failure`.
    """
    _check_name(name)
    target = os.path.abspath(f"signer-{name}" if output is None else output)
    if os.path.lexists(target):
        raise Failure(f"{target} is there already, and stays as it is", remedy="give another directory by --output")
    try:
        with _beside(target) as unfinished:
            for path, content in _files(resources.files(__package__).joinpath("templates", kind)):
                place = os.path.join(unfinished, _renamed(path, name))
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "x", encoding="utf-8", newline="\n") as file:
                    file.write(_renamed(content, name))
            os.rename(unfinished, target)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {reason(error)}") from error
    steps = (f"cd {shlex.quote(os.path.relpath(target))}", "pip install -e '.[test]'", "pytest")
    return "\n".join([f"wrote {target}\n\nnow:", *(f"  {step}" for step in steps)])


def _check_name(name: str) -> None:
    """Refuse a name that cannot be the plugin's, or that would be in another one's way."""
    from importlib_metadata import distributions

    import signer_core
    from signer_core.installed import installed_plugins

    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise Failure(
            f"{name!r} is no name for a plugin",
            remedy=f"use lower-case letters, digits and single hyphens, such as my-vault; at most {_LONGEST}",
        )
    if name.startswith("signer-"):
        raise Failure(f"the distribution would be signer-{name}", remedy=f"write {name.removeprefix('signer-')}")
    if name in COMMANDS:
        raise Failure(f"`signer {name}` is a command already", remedy="choose another name")
    if f"{_class_prefix(name)}Key" in signer_core.__all__:
        raise Failure(f"its {_class_prefix(name)}Key would hide signer_core's own", remedy="choose another name")
    for each in installed_plugins():
        if each.name == name:
            raise Failure(
                f"{each.distribution} {each.version} has the {each.kind} {name!r} already",
                remedy="choose another name, or uninstall it",
            )
    if any(distributions(name=f"signer-{name}")):
        raise Failure(f"a distribution signer-{name} is installed already", remedy="choose another name")


def _class_prefix(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _module(name: str) -> str:
    return f"signer_{name.replace('-', '_')}"


def _renamed(text: str, name: str) -> str:
    """``text`` of the template, with the name in the place of "example"."""
    text = text.replace("signer_example", _module(name))
    return text.replace("Example", _class_prefix(name)).replace("example", name)


def _files(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    """The template's files, each with its path in it; not what Python and tools have left beside them."""
    for each in folder.iterdir():
        if each.is_file():
            yield path + each.name, each.read_text("utf-8")
        elif not each.name.startswith((".", "_")):
            yield from _files(each, f"{path}{each.name}/")


@contextlib.contextmanager
def _beside(target: str) -> Iterator[str]:
    """A new directory beside ``target``; gone in the end, unless it was moved."""
    import secrets

    unfinished = os.path.join(os.path.dirname(target), f".signer-{secrets.token_hex(8)}")
    os.mkdir(unfinished)
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
