"""Which installed distribution serves a name: what its entry points claim, and whether there is any doubt."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from importlib_metadata import EntryPoint, distributions

from signer_core.errors import BackendConflictError, BackendNotFoundError

#: Distributions whose names do not follow from their backend's.
_KNOWN = {"awskms": "signer-aws-kms"}


def the_one(group: str, name: str) -> EntryPoint:
    """The only entry point of that name, of the only copy of its distribution."""
    claims = [entry_point for entry_point in entry_points(group) if entry_point.name == name]
    if not claims:
        installed = tuple(sorted({entry_point.name for entry_point in entry_points(group)}))
        raise BackendNotFoundError(
            f"no backend {name!r} is installed (installed: {', '.join(installed) or 'none'})",
            remedy=f"pip install {_KNOWN.get(name, f'signer-{name}')}",
            installed=installed,
        )
    if len(claims) > 1:
        places = ", ".join(f"{name_of(claim)} in {distribution_of(claim).locate_file('')}" for claim in claims)
        raise BackendConflictError(
            f"backend {name!r} is claimed more than once: {places}", remedy="uninstall all but one of them"
        )
    return claims[0]


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, those of a distribution's second copy too, which ``entry_points()`` leaves out."""
    # A place that is not there, such as the usual python311.zip, would be tried as an archive: it costs an import of
    # zipfile.
    places = [place for place in sys.path if os.path.exists(place or os.curdir)]
    found = [
        each
        for distribution in distributions(path=places)
        # Parsing what has nothing of ours would take longer than all the rest.
        if group in (distribution.read_text("entry_points.txt") or "")
        for each in distribution.entry_points.select(group=group)
    ]
    return found if len({(each.name, each.value) for each in found}) == len(found) else _distinct(found)


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
        if in_its_source and distribution.origin is None:
            continue
        distinct.setdefault((place, distribution.name, distribution.version, each.name), each)
    return list(distinct.values())


def _editable_source(entry_point: EntryPoint) -> str | None:
    """The source directory of an editable installation (PEP 660, direct_url.json), else None."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    origin = distribution_of(entry_point).origin
    if origin is None or not getattr(getattr(origin, "dir_info", None), "editable", False):
        return None
    return os.path.realpath(url2pathname(urlsplit(origin.url).path))


def distribution_of(entry_point: EntryPoint) -> Any:
    """The distribution that the entry point was found in."""
    return entry_point.dist


def name_of(entry_point: EntryPoint) -> str:
    """The name of the distribution that the entry point was found in."""
    distribution = distribution_of(entry_point)
    return f"{distribution.name}"


def normalized(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
