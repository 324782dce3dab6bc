"""What backends and extensions have in common: the plugin behind one entry point, loaded and held to the contract."""

import abc
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from importlib_metadata import EntryPoint

from signer_core.distributions import distribution_of, name_of
from signer_core.errors import PluginContractError
from signer_core.hooks import asked, hooks_of
from signer_core.hookspecs import CONTRACT
from signer_core.key_contract import FOREIGN

if TYPE_CHECKING:
    import click

    from signer_core.hookspecs import Backend, Extension

T = TypeVar("T")
D = TypeVar("D", "Backend", "Extension")


class Plugin(abc.ABC):
    """The plugin behind one entry point: imported, its hooks held to their specification."""

    #: What it is a plugin for, the group of such entry points, their hooks, and those that it cannot be without.
    kind: ClassVar[str]
    group: ClassVar[str]
    specifications: ClassVar[type[Any]]
    required: ClassVar[tuple[str, ...]]

    def __init__(self, entry_point: EntryPoint) -> None:
        self.name = entry_point.name
        self.entry_point = entry_point
        try:
            loaded = entry_point.load()
        except FOREIGN as error:
            what = f"importing {entry_point.value!r} raised {type(error).__name__}: {error}"
            raise self.broken(what) from error
        if isinstance(loaded, type):  # its hooks would lack their self
            raise self.broken(f"{entry_point.value!r} is a class, where a module or an object is expected")
        try:
            self.hooks: Any = hooks_of(loaded, self.specifications, self.broken)
        except PluginContractError:
            self._look_for_another_contract(loaded)
            raise
        if not all(getattr(self.hooks, hook).get_hookimpls() for hook in self.required):
            raise self.broken(f"it lacks the hook {' or '.join(self.required)}")

    @property
    def distribution(self) -> str:
        """The distribution that the plugin came with, and its version."""
        distribution = distribution_of(self.entry_point)
        return f"{distribution.name} {distribution.version}"

    @abc.abstractmethod
    def check_options(self) -> None:
        """Raise :class:`PluginContractError` unless the plugin's options are what options may be."""

    def commands(self) -> "click.Group | None":
        """The plugin's own commands, or None."""
        if not self.hooks.signer_commands.get_hookimpls():
            return None
        import click

        return self.ask(click.Group, "signer_commands")

    def broken(self, what: str, *, remedy: str | None = None) -> PluginContractError:
        """The error that names the plugin and its distribution, after it broke the contract."""
        return PluginContractError(
            f"the plugin of {self.kind} {self.name!r}, {self.distribution}, is broken: {' '.join(what.split())}",
            remedy=remedy or f"upgrade or uninstall {name_of(self.entry_point)}, or tell its author",
        )

    def describe(self, wanted: type[D], hook: str) -> D:
        """What the plugin's ``hook`` says of it, for this version of the contract."""
        description = self.ask(wanted, hook)
        self._check_contract(description.contract)
        return description

    def _check_contract(self, contract: object) -> None:
        if type(contract) is int and contract == CONTRACT:
            return
        remedy = None
        if type(contract) is int and contract > CONTRACT:
            remedy = f"upgrade signer-core, or install an earlier {name_of(self.entry_point)}"
        raise self.broken(f"it was written for version {contract!r} of the contract, not {CONTRACT}", remedy=remedy)

    def _look_for_another_contract(self, loaded: object) -> None:
        """Raise, if that is why the hooks of what was ``loaded`` are not this one's: it says more than they do."""
        contract = CONTRACT
        with contextlib.suppress(*FOREIGN):  # it may have no description, and that may fail
            contract = getattr(loaded, self.required[0])().contract
        self._check_contract(contract)

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """What is wrong with the plugin's options is named with the plugin."""
        try:
            yield
        except PluginContractError as error:
            raise self.broken(error.message) from error

    def ask(self, wanted: type[T], hook: str, **arguments: object) -> T:
        """What the plugin's ``hook`` answers, which must be a ``wanted``."""
        return asked(getattr(self.hooks, hook), wanted, self.broken, **arguments)
