"""Which installed distribution serves a name: what its entry points claim, and whether there is any doubt."""

import functools
import logging
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from importlib_metadata import Distribution, EntryPoint, distributions

from signer_core.errors import BackendConflictError, BackendNotFoundError, PluginError
from signer_core.hookspecs import BACKENDS_GROUP, EXTENSIONS_GROUP

_logger = logging.getLogger("signer_core")

#: What the distributions of this project serve: known to the core before they are installed.
OURS = {
    BACKENDS_GROUP: {"awskms": "signer-aws-kms", "file": "signer-file", "noop": "signer-noop"},
    EXTENSIONS_GROUP: {"audit": "signer-audit"},
}
_CONFIGURED = {
    BACKENDS_GROUP: "a backend: name it in the option 'backend'",
    EXTENSIONS_GROUP: "an extension: list it in the option 'extensions'",
}


def the_one(group: str, name: str) -> EntryPoint:
    """The only entry point of that name, of the only copy of its distribution.

    Raises :class:`BackendNotFoundError` or :class:`BackendConflictError`; for extensions :class:`PluginError`.
    """
    is_extension = group == EXTENSIONS_GROUP
    kind = "extension" if is_extension else "backend"
    found = entry_points(group)
    claims = [entry_point for entry_point in found if entry_point.name == name]
    if not claims:
        installed = tuple(sorted({entry_point.name for entry_point in found}))
        missing = f"no {kind} {name!r} is installed (installed: {', '.join(installed) or 'none'})"
        remedy = _remedy(group, name, installed)
        if is_extension:
            raise PluginError(missing, remedy=remedy)
        raise BackendNotFoundError(missing, remedy=remedy, installed=installed)
    if len(claims) > 1:
        places = ", ".join(
            f"{name_of(claim)} {distribution_of(claim).version} in {place_of(claim)}" for claim in claims
        )
        conflict = PluginError if is_extension else BackendConflictError
        raise conflict(f"{kind} {name!r} is claimed more than once: {places}", remedy="uninstall all but one of them")
    return claims[0]


def _remedy(group: str, name: str, installed: tuple[str, ...]) -> str | None:
    """What may help against a missing plugin; None for a name that no distribution can have."""
    import difflib

    if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]{0,60}[a-z0-9])?", name, re.ASCII | re.IGNORECASE):
        return None
    if name in OURS[group]:
        return f"pip install {OURS[group][name]}"
    [other] = OURS.keys() - {group}
    if name in OURS[other] or any(entry_point.name == name for entry_point in entry_points(other)):
        return f"{name!r} is {_CONFIGURED[other]}"
    close = difflib.get_close_matches(name, sorted({*installed, *OURS[group]}), n=1)
    # a misspelt name is not what pip should be given first: anybody can have registered it
    return f"{f'did you mean {close[0]!r}? If not: ' if close else ''}pip install signer-{name}"


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, those of a distribution's second copy too, which ``entry_points()`` leaves out."""
    found: list[EntryPoint] = []
    for distribution in _distributions_with_entry_points(group):
        try:
            if group in (distribution.read_text("entry_points.txt") or ""):
                _check_metadata(distribution)
                found += distribution.entry_points.select(group=group)
        except Exception as error:  # whatever is wrong with it, it must not hide the others
            _logger.warning(
                "the metadata of a distribution in %s cannot be read, so its plugins are not seen: %s: %s",
                distribution.locate_file(""),
                type(error).__name__,
                error,
            )
    return found if len({each.name for each in found}) == len(found) else _distinct(found)


def _distributions_with_entry_points(group: str) -> Iterable[Any]:
    """The distributions on ``sys.path`` whose entry points may have the group among them.

    To look at the metadata of all the others as well would take longer than all else that opens a signer.
    """
    wanted = group.encode()
    elsewhere: list[str] = []  # archives, eggs: for whoever knows how to look into them
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)
        except NotADirectoryError:
            elsewhere.append(place)
            continue
        except OSError:  # it is not there, as the usual python311.zip, or is closed to us
            continue
        if place.lower().endswith(".egg"):
            elsewhere.append(place)
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and wanted in _content(
                os.path.join(place, name, "entry_points.txt")
            ):
                yield Distribution.at(os.path.join(place, name))
    yield from distributions(path=elsewhere)


def _content(path: str) -> bytes:
    """What is in the file, nothing if there is none. Without a file object: each start looks at very many."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return b"".join(iter(functools.partial(os.read, file, 65536), b""))
    except OSError:
        return b""
    finally:
        os.close(file)


def _check_metadata(distribution: Any) -> None:
    """Raise LookupError without a name and a version; a full parser takes longer than to sign."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    headers, _, _ = text.partition("\n\n")  # behind them comes the README
    given = {name for name, _, value in (line.partition(":") for line in headers.splitlines()) if value.strip()}
    for fact in ("Name", "Version"):
        if fact not in given:
            raise LookupError(f"it has no {fact}")


def _distinct(found: list[EntryPoint]) -> list[EntryPoint]:
    """Without those that only look like another copy: a directory that is on the path twice, the metadata that an
    editable installation leaves in its source.
    """
    distinct: dict[object, EntryPoint] = {}
    sources = {(normalized(name_of(each)), source) for each in found if (source := _editable_source(each))}
    for each in found:
        distribution = distribution_of(each)
        place = os.path.realpath(str(distribution.locate_file("")))
        in_its_source = any(
            normalized(distribution.name) == name and Path(place).is_relative_to(source) for name, source in sources
        )
        if in_its_source and distribution.read_text("METADATA") is None:  # PKG-INFO: an egg-info
            continue
        distinct.setdefault((place, distribution.name, distribution.version, each.name), each)
    return list(distinct.values())


def _editable_source(entry_point: EntryPoint) -> str | None:
    """The source directory of an editable installation (PEP 660, direct_url.json), else None."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin = distribution_of(entry_point).origin
        return os.path.realpath(url2pathname(urlsplit(origin.url).path)) if origin.dir_info.editable else None
    except Exception:  # there is none, or it is not as it should be: then the installation is not taken for editable
        return None


def distribution_of(entry_point: EntryPoint) -> Any:
    """The distribution that the entry point was found in."""
    return entry_point.dist


def name_of(entry_point: EntryPoint) -> str:
    """The name of the distribution that the entry point was found in."""
    distribution = distribution_of(entry_point)
    return f"{distribution.name}"


def place_of(entry_point: EntryPoint) -> str:
    """The directory that the distribution's code is in: of an editable installation, its source."""
    return _editable_source(entry_point) or str(distribution_of(entry_point).locate_file(""))


def normalized(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
