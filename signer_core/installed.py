"""All installed backends and extensions, the broken ones too."""

from collections import Counter

import attrs
from importlib_metadata import EntryPoint

from signer_core.distributions import distribution_of, entry_points, place_of, the_one
from signer_core.errors import SignerError
from signer_core.extension_plugin import ExtensionPlugin
from signer_core.plugin import Plugin
from signer_core.plugins import BackendPlugin


@attrs.frozen(kw_only=True)
class Installed:
    """An installed backend or extension, as its distribution's metadata has it."""

    name: str
    kind: str
    distribution: str
    version: str
    #: The directory of its code.
    path: str
    summary: str
    #: Why it does not work; None if nothing is known against it.
    error: str | None = None


def installed_plugins(*, load: bool = False) -> list[Installed]:
    """All installed backends and extensions. ``load`` imports each one by itself to find those that are broken.

    Without it, only those are known to be broken whose name is claimed more than once.
    """
    found = []
    for kind in (BackendPlugin, ExtensionPlugin):
        claims = entry_points(kind.group)
        counted = Counter(claim.name for claim in claims)
        for claim in claims:
            distribution = distribution_of(claim)
            found.append(
                Installed(
                    name=claim.name,
                    kind=kind.kind,
                    distribution=distribution.name,
                    version=distribution.version,
                    path=place_of(claim),
                    summary=distribution.metadata.get("Summary") or "",
                    error=_error_of(kind, claim, is_doubtful=counted[claim.name] > 1, load=load),
                )
            )
    return sorted(found, key=lambda each: (each.kind, each.name, each.distribution))


def _error_of(kind: type[Plugin], claim: EntryPoint, *, is_doubtful: bool, load: bool) -> str | None:
    try:
        if is_doubtful:
            the_one(kind.group, claim.name)
        elif load:
            kind(claim).check_options()
    except SignerError as error:
        return str(error)
    return None
