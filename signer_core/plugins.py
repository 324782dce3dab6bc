"""From the name of a backend to its plugin: found, loaded, held to the contract."""

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from importlib_metadata import EntryPoint

from signer_core.deadline import Deadline
from signer_core.distributions import distribution_of, name_of, normalized, the_one
from signer_core.errors import PluginContractError, PluginError, SignerError
from signer_core.hookspecs import (
    BACKENDS_GROUP,
    CONTRACT,
    Backend,
    BackendHooks,
    Extension,
    ExtensionHooks,
    SigningKey,
    Verdict,
)
from signer_core.key_contract import FOREIGN, Broken
from signer_core.settings import Settings, check_config_class

if TYPE_CHECKING:
    import click

T = TypeVar("T")


class BackendPlugin:
    """The plugin that serves one backend, found, loaded and held to the contract."""

    def __init__(self, name: str, entry_point: EntryPoint, backend: Backend, hooks: Any) -> None:
        self.name = name
        self.entry_point = entry_point
        self.backend = backend
        self._hooks = hooks

    @property
    def makes_keys(self) -> bool:
        """Whether the plugin has ``signer_init``."""
        return bool(self._hooks.signer_init.get_hookimpls())

    def configure(self, settings: Settings) -> Any:
        """The configured options as an instance of the plugin's class. Raises :class:`ConfigError`."""
        try:
            return settings.backend_config(self.backend.config_class)
        except PluginContractError as error:
            raise self.broken(error.message) from error

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
                    raise self.broken(f"signer_check gave {type(verdict).__name__} instead of Verdict")
                yield verdict
        except SignerError:
            raise
        except FOREIGN as error:
            raise self.broken(f"signer_check raised {type(error).__name__}") from error

    def commands(self) -> "click.Group | None":
        """The plugin's own commands, or None."""
        if not self._hooks.signer_commands.get_hookimpls():
            return None
        import click

        return self._ask(click.Group, "signer_commands")

    def _ask(self, wanted: type[T], hook: str, **arguments: object) -> T:
        return _asked(getattr(self._hooks, hook), wanted, self.broken, **arguments)

    def broken(self, what: str) -> PluginContractError:
        """The error that names the plugin and its distribution, after it broke the contract."""
        return _broken("backend", self.entry_point, what)


def load_backend(name: str, *, trusted: str | None = None) -> BackendPlugin:
    """The plugin that serves the backend ``name``; nothing else is imported.

    ``trusted`` is the distribution that may serve it. Raises :class:`BackendNotFoundError`,
    :class:`BackendConflictError` or :class:`PluginContractError`.
    """
    entry_point = the_one(BACKENDS_GROUP, name)
    if trusted is not None and normalized(name_of(entry_point)) != normalized(trusted):
        raise PluginError(
            f"backend {name!r} is served by {name_of(entry_point)}, but only {trusted} is trusted with it",
            remedy=f"uninstall {name_of(entry_point)}, or change the option 'trusted'",
        )
    return _load(name, entry_point)


def check_plugin(kind: str, entry_point: EntryPoint) -> None:
    """Import the plugin behind the entry point, and hold what it says of itself to the contract.

    ``kind`` is "backend" or "extension". Raises :class:`PluginContractError`.
    """
    if kind == "backend":
        description: Backend | Extension = _load(entry_point.name, entry_point).backend
    else:
        hooks = _hooks_of(entry_point, kind, ExtensionHooks)
        description = _asked(hooks.signer_extension, Extension, lambda what: _broken(kind, entry_point, what))
    try:
        check_config_class(description.config_class)
    except PluginContractError as error:
        raise _broken(kind, entry_point, error.message) from error


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _load(name: str, entry_point: EntryPoint) -> BackendPlugin:
    def broken(what: str) -> PluginContractError:
        return _broken("backend", entry_point, what)

    hooks = _hooks_of(entry_point, "backend", BackendHooks)
    if not hooks.signer_backend.get_hookimpls() or not hooks.signer_open.get_hookimpls():
        raise broken("it lacks the hook signer_backend or signer_open")
    backend = _asked(hooks.signer_backend, Backend, broken)
    if type(backend.contract) is not int or backend.contract != CONTRACT:
        raise broken(f"it was written for version {backend.contract!r} of the contract, not {CONTRACT}")
    return BackendPlugin(name, entry_point, backend, hooks)


def _hooks_of(entry_point: EntryPoint, kind: str, specifications: type[Any]) -> Any:
    """The hooks of the plugin behind the entry point, which is imported, in a plugin manager of its own."""
    try:
        plugin = entry_point.load()
    except FOREIGN as error:
        what = f"importing {entry_point.value!r} raised {type(error).__name__}: {error}"
        raise _broken(kind, entry_point, what) from error
    manager = pluggy.PluginManager("signer_core")
    manager.add_hookspecs(specifications)
    try:
        manager.register(plugin, entry_point.name)
        manager.check_pending()
    except FOREIGN as error:  # pluggy looks at each attribute of the plugin, and those may be properties
        raise _broken(kind, entry_point, str(error)) from error
    for implementation in (each for caller in manager.get_hookcallers(plugin) or () for each in caller.get_hookimpls()):
        function = implementation.function
        if implementation.wrapper or implementation.hookwrapper:
            raise _broken(kind, entry_point, f"{function.__name__} is a wrapper, and there is nothing to wrap")
        if inspect.iscoroutinefunction(function):
            raise _broken(kind, entry_point, f"{function.__name__} is a coroutine function, and is not awaited")
    return manager.hook


def _asked(hook: pluggy.HookCaller, wanted: type[T], broken: Broken, **arguments: object) -> T:
    """What the one registered plugin answers to ``hook``, held to its type."""
    try:
        answer = hook(**arguments)
    except SignerError:
        raise
    except FOREIGN as error:
        # Where no configuration was given, no secret can be in the text.
        text = "" if arguments else f": {error}"
        raise broken(f"{hook.name} raised {type(error).__name__}{text}") from error
    if not isinstance(answer, wanted):
        raise broken(f"{hook.name} returned {type(answer).__name__} instead of {wanted.__name__}")
    return answer


def _broken(kind: str, entry_point: EntryPoint, what: str) -> PluginContractError:
    distribution = distribution_of(entry_point)
    whose = f"{distribution.name} {distribution.version}"
    return PluginContractError(
        f"the plugin of {kind} {entry_point.name!r}, {whose}, is broken: {_on_one_line(what)}",
        remedy=f"upgrade or uninstall {distribution.name}, or tell its author",
    )
