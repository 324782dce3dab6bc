"""All installed backends and extensions, the broken ones too."""

import attrs
from importlib_metadata import EntryPoint

from signer_core.distributions import distribution_of, entry_points, the_one
from signer_core.errors import SignerError
from signer_core.plugins import KINDS, Plugin


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
    for kind in KINDS:
        for entry_point in entry_points(kind.group):
            distribution = distribution_of(entry_point)
            found.append(
                Installed(
                    name=entry_point.name,
                    kind=kind.kind,
                    distribution=distribution.name,
                    version=distribution.version,
                    path=str(distribution.locate_file("")),
                    summary=distribution.metadata.get("Summary") or "",
                    error=_error_of(kind, entry_point) if load else None,
                )
            )
    return sorted(found, key=lambda each: (each.kind, each.name, each.distribution))


def _error_of(kind: type[Plugin], entry_point: EntryPoint) -> str | None:
    try:
        the_one(kind.group, entry_point.name)
        kind(entry_point).check_options()
    except SignerError as error:
        return str(error)
    return None
