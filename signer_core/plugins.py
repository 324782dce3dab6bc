"""From the name of a backend to its plugin: find the one, list all, refuse doubt."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pluggy
from importlib_metadata import EntryPoint, distributions

from signer_core.deadline import Deadline
from signer_core.errors import (
    BackendConflictError,
    BackendNotFoundError,
    PluginContractError,
    PluginError,
    SignerError,
)
from signer_core.hookspecs import (
    BACKENDS_GROUP,
    CONTRACT,
    EXTENSIONS_GROUP,
    Backend,
    BackendHooks,
    SigningKey,
    Verdict,
)

T = TypeVar("T")


@attrs.frozen
class BackendPlugin:
    """The plugin that serves one backend, found, loaded and held to the contract."""

    name: str
    entry_point: EntryPoint
    backend: Backend
    _hooks: Any = attrs.field(repr=False)

    @property
    def makes_keys(self) -> bool:
        """Whether the plugin has ``signer_init``."""
        return bool(self._hooks.signer_init.get_hookimpls())

    def open(self, config: object, deadline: Deadline) -> SigningKey:
        """Open the key that exists."""
        return self._ask(SigningKey, "signer_open", config=config, deadline=deadline)

    def init(self, config: object, deadline: Deadline) -> SigningKey:
        """Make the key if it is missing, then open it."""
        return self._ask(SigningKey, "signer_init", config=config, deadline=deadline)

    def check(self, config: object, deadline: Deadline) -> Iterable[Verdict]:
        """The plugin's own steps of ``signer check``; none if it has none."""
        if not self._hooks.signer_check.get_hookimpls():
            return
        verdicts: Iterable[object] = self._ask(Iterable, "signer_check", config=config, deadline=deadline)
        try:
            for verdict in verdicts:
                if not isinstance(verdict, Verdict):
                    raise self._broken(f"signer_check gave {type(verdict).__name__} instead of Verdict")
                yield verdict
        except SignerError:
            raise
        except Exception as error:
            raise self._broken(f"signer_check raised {type(error).__name__}") from error

    def commands(self) -> Any:
        """The plugin's click group, or None."""
        return self._hooks.signer_commands() if self._hooks.signer_commands.get_hookimpls() else None

    def _ask(self, wanted: type[T], hook: str, **arguments: object) -> T:
        return _asked(getattr(self._hooks, hook), wanted, self._broken, **arguments)

    def _broken(self, what: str) -> PluginContractError:
        return _broken(self.name, self.entry_point, what)


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


def load_backend(name: str, *, trusted: str | None = None) -> BackendPlugin:
    """The plugin that serves the backend ``name``; nothing else is imported.

    ``trusted`` is the distribution that may serve it. Raises :class:`BackendNotFoundError`,
    :class:`BackendConflictError` or :class:`PluginContractError`.
    """
    entry_point = _the_one(BACKENDS_GROUP, name)
    if trusted is not None and _normalized(_distribution(entry_point)) != _normalized(trusted):
        raise PluginError(
            f"backend {name!r} is served by {_distribution(entry_point)}, but only {trusted} is trusted with it",
            remedy=f"uninstall {_distribution(entry_point)}, or change the option 'trusted'",
        )
    return _load(name, entry_point)


def installed_plugins(*, load: bool = False) -> list[Installed]:
    """All installed backends and extensions. ``load`` imports each one by itself to find those that are broken."""
    found = []
    for kind, group in (("backend", BACKENDS_GROUP), ("extension", EXTENSIONS_GROUP)):
        for entry_point in _entry_points(group):
            distribution = _required_distribution(entry_point)
            found.append(
                Installed(
                    name=entry_point.name,
                    kind=kind,
                    distribution=distribution.name,
                    version=distribution.version,
                    path=str(distribution.locate_file("")),
                    summary=distribution.metadata["Summary"] or "",
                    error=_error_of(kind, entry_point) if load else None,
                )
            )
    return sorted(found, key=lambda each: (each.kind, each.name, each.distribution))


def _error_of(kind: str, entry_point: EntryPoint) -> str | None:
    try:
        if kind == "backend":
            _the_one(BACKENDS_GROUP, entry_point.name)
            _load(entry_point.name, entry_point)
        else:
            entry_point.load()
    except SignerError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _load(name: str, entry_point: EntryPoint) -> BackendPlugin:
    try:
        plugin = entry_point.load()
    except Exception as error:
        raise _broken(
            name, entry_point, f"importing {entry_point.value!r} raised {type(error).__name__}: {error}"
        ) from error
    manager = pluggy.PluginManager("signer_core")
    manager.add_hookspecs(BackendHooks)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise _broken(name, entry_point, str(error)) from error
    if not manager.hook.signer_backend.get_hookimpls() or not manager.hook.signer_open.get_hookimpls():
        raise _broken(name, entry_point, "it lacks the hook signer_backend or signer_open")

    def broken(what: str) -> PluginContractError:
        return _broken(name, entry_point, what)

    backend = _asked(manager.hook.signer_backend, Backend, broken)
    if backend.contract != CONTRACT:
        raise _broken(
            name, entry_point, f"it was written for version {backend.contract!r} of the contract, not {CONTRACT}"
        )
    return BackendPlugin(name, entry_point, backend, manager.hook)


def _asked(
    hook: Callable[..., object], wanted: type[T], broken: Callable[[str], PluginContractError], **arguments: object
) -> T:
    """What the one registered plugin answers to ``hook``, held to its type."""
    try:
        answer = hook(**arguments)
    except SignerError:
        raise
    except Exception as error:
        raise broken(f"{getattr(hook, 'name', 'its hook')} raised {type(error).__name__}") from error
    if not isinstance(answer, wanted):
        raise broken(
            f"{getattr(hook, 'name', 'its hook')} returned {type(answer).__name__} instead of {wanted.__name__}"
        )
    return answer


def _the_one(group: str, name: str) -> EntryPoint:
    """The only entry point of that name, of the only copy of its distribution."""
    claims = [entry_point for entry_point in _entry_points(group) if entry_point.name == name]
    if not claims:
        installed = tuple(sorted({entry_point.name for entry_point in _entry_points(group)}))
        raise BackendNotFoundError(
            f"no backend {name!r} is installed (installed: {', '.join(installed) or 'none'})",
            remedy=f"pip install {_KNOWN.get(name, f'signer-{name}')}",
            installed=installed,
        )
    if len(claims) > 1:
        places = ", ".join(
            f"{_distribution(claim)} in {_required_distribution(claim).locate_file('')}" for claim in claims
        )
        raise BackendConflictError(
            f"backend {name!r} is claimed more than once: {places}", remedy="uninstall all but one of them"
        )
    return claims[0]


#: Distributions whose names do not follow from their backend's.
_KNOWN = {"awskms": "signer-aws-kms"}


def _entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, those of a distribution's second copy too, which ``entry_points()`` leaves out."""
    found = [each for distribution in distributions() for each in distribution.entry_points.select(group=group)]
    return found if len({(each.name, each.value) for each in found}) == len(found) else _distinct(found)


def _distinct(entry_points: list[EntryPoint]) -> list[EntryPoint]:
    """Without those that only look like another copy: a directory that is on the path twice, the metadata that an
    editable installation leaves in its source.
    """
    distinct: dict[object, EntryPoint] = {}
    sources = {
        (_normalized(_distribution(each)), source) for each in entry_points if (source := _editable_source(each))
    }
    for each in entry_points:
        distribution = _required_distribution(each)
        place = os.path.realpath(str(distribution.locate_file("")))
        if any(
            _normalized(distribution.name) == name and Path(place).is_relative_to(source) for name, source in sources
        ):
            continue
        distinct.setdefault((place, distribution.name, distribution.version, each.name), each)
    return list(distinct.values())


def _editable_source(entry_point: EntryPoint) -> str | None:
    """The source directory of an editable installation (PEP 660, direct_url.json), else None."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    origin = _required_distribution(entry_point).origin
    if origin is None or not getattr(getattr(origin, "dir_info", None), "editable", False):
        return None
    return os.path.realpath(url2pathname(urlsplit(origin.url).path))


def _required_distribution(entry_point: EntryPoint) -> Any:
    """The distribution that the entry point was found in."""
    return entry_point.dist


def _distribution(entry_point: EntryPoint) -> str:
    distribution = _required_distribution(entry_point)
    return f"{distribution.name}"


def _normalized(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _broken(name: str, entry_point: EntryPoint, what: str) -> PluginContractError:
    distribution = _required_distribution(entry_point)
    return PluginContractError(
        f"the plugin of backend {name!r}, {distribution.name} {distribution.version}, is broken: {what}",
        remedy=f"upgrade or uninstall {distribution.name}, or tell its author",
    )
