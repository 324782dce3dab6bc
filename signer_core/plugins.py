"""From the name of a backend to its plugin, found, loaded, held to the contract; and to those of its extensions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from importlib_metadata import EntryPoint

from signer_core.algorithms import Algorithm
from signer_core.deadline import Deadline
from signer_core.distributions import name_of, normalized, the_one
from signer_core.errors import PluginError, SignerError
from signer_core.hookspecs import BACKENDS_GROUP, Backend, BackendHooks, SigningKey
from signer_core.key_contract import FOREIGN
from signer_core.plugin import Plugin
from signer_core.settings import Settings, check_config_class

if TYPE_CHECKING:
    from signer_core.extension_plugin import ConfiguredExtension
    from signer_core.hookspecs import Verdict


class BackendPlugin(Plugin):
    """The plugin that serves one backend."""

    kind = "backend"
    group = BACKENDS_GROUP
    specifications = BackendHooks
    required = "signer_backend", "signer_open"

    def __init__(self, entry_point: EntryPoint) -> None:
        super().__init__(entry_point)
        self.backend = self.describe(Backend, "signer_backend")

    @property
    def makes_keys(self) -> bool:
        """Whether the plugin has ``signer_init``."""
        return bool(self.hooks.signer_init.get_hookimpls())

    def check_options(self) -> None:
        """Hold the options to what a backend's may be."""
        with self.blamed():
            check_config_class(self.backend.config_class)

    def configure(self, settings: Settings) -> Any:
        """The configured options as an instance of the plugin's class. Raises :class:`ConfigError`."""
        with self.blamed():
            return settings.backend_config(self.backend.config_class)

    def algorithms(self, config: object) -> frozenset[Algorithm]:
        """What the configured key may be for: what the option ``algorithm`` says, else any that the plugin declares."""
        configured = getattr(config, "algorithm", None)
        return frozenset({configured}) if isinstance(configured, Algorithm) else self.backend.algorithms

    def open(self, config: object, deadline: Deadline) -> SigningKey:
        """Open the key that exists."""
        return self.ask(SigningKey, "signer_open", config=config, deadline=deadline)

    def init(self, config: object, deadline: Deadline) -> SigningKey:
        """Make the key if it is missing, then open it."""
        return self.ask(SigningKey, "signer_init", config=config, deadline=deadline)

    def check(self, config: object, deadline: Deadline) -> "Iterable[Verdict]":
        """The plugin's own steps of ``signer check``; none if it has none."""
        if not self.hooks.signer_check.get_hookimpls():
            return
        from signer_core.hookspecs import Verdict

        verdicts: Iterable[object] = self.ask(Iterable, "signer_check", config=config, deadline=deadline)
        try:
            for verdict in verdicts:
                if not isinstance(verdict, Verdict):
                    raise self.broken(f"signer_check gave {type(verdict).__name__} instead of Verdict")
                yield verdict
        except SignerError:
            raise
        except FOREIGN as error:
            raise self.broken(f"signer_check raised {type(error).__name__}") from error


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
    return BackendPlugin(entry_point)


def configured_extensions(settings: Settings) -> "list[ConfiguredExtension]":
    """The extensions that ``settings`` list, in that order. Raises :class:`ConfigError` and :class:`PluginError`."""
    listed = settings.extensions()
    if not listed:
        return []
    from signer_core.extension_plugin import load_extension

    return [load_extension(each.name).configure(each) for each in listed]
