"""All installed backends and extensions, the broken ones too."""

import attrs
from importlib_metadata import EntryPoint

from signer_core.distributions import distribution_of, entry_points, the_one
from signer_core.errors import SignerError
from signer_core.hookspecs import BACKENDS_GROUP, EXTENSIONS_GROUP
from signer_core.plugins import check_plugin


@attrs.frozen(kw_only=True)
class Installed:
    """An installed backend or extension, as its distribution's metadata has it."""

    name: str
    kind: str
    distribution: str
    version: str
    path: str
    summary: str
    #: Why it does not work; None if nothing is known against it.
    error: str | None = None


def installed_plugins(*, load: bool = False) -> list[Installed]:
    """All installed backends and extensions. ``load`` imports each one by itself to find those that are broken."""
    found = []
    for kind, group in (("backend", BACKENDS_GROUP), ("extension", EXTENSIONS_GROUP)):
        for entry_point in entry_points(group):
            distribution = distribution_of(entry_point)
            found.append(
                Installed(
                    name=entry_point.name,
                    kind=kind,
                    distribution=distribution.name,
                    version=distribution.version,
                    path=str(distribution.locate_file("")),
                    summary=distribution.metadata.get("Summary") or "",
                    error=_error_of(kind, group, entry_point) if load else None,
                )
            )
    return sorted(found, key=lambda each: (each.kind, each.name, each.distribution))


def _error_of(kind: str, group: str, entry_point: EntryPoint) -> str | None:
    try:
        the_one(group, entry_point.name)
        check_plugin(kind, entry_point)
    except SignerError as error:
        return str(error)
    return None
