"""The whole contract with plugins: what a distribution brings so that an application can sign with its keys.

A *backend* is an entry point in the group ``signer_core.backends``. The entry point's name is the backend's name in
configurations; its value is a module (or an object) whose functions carry the names of :class:`BackendHooks` and the
mark :data:`hookimpl`. The smallest one::

    @hookimpl
    def signer_backend() -> Backend:
        return Backend(contract=1, config_class=VaultConfig, remote=True)

    @hookimpl
    def signer_open(config: VaultConfig, deadline: Deadline) -> SigningKey:
        return VaultKey(config, deadline)

An *extension* is an entry point in ``signer_core.extensions`` with the hooks of :class:`ExtensionHooks`. It watches or
vetoes signatures, and is attached to a signer only where its configuration lists it.

A configuration class is a frozen attrs class with keyword-only fields of the types ``str``, ``int``, ``float``,
``bool``, ``Path``, ``Secret``, an ``Enum``, ``tuple[str, ...]``, ``dict[str, str]``, and any of them ``| None``. The
core reads, converts and reports; see :mod:`signer_core.options`.

An implementation of a hook may take fewer parameters than its specification.
"""

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from signer_core.backend import Backend
from signer_core.deadline import Deadline
from signer_core.signing_key import SigningKey

if TYPE_CHECKING:
    import click

    from signer_core.extension import Extension, SignEvent
    from signer_core.secrets import Secret
    from signer_core.verdict import Verdict

__all__ = [
    "BACKENDS_GROUP",
    "CONTRACT",
    "EXTENSIONS_GROUP",
    "AttachedHooks",
    "Backend",
    "BackendHooks",
    "CommandLine",
    "Extension",
    "ExtensionHooks",
    "SignEvent",
    "SigningKey",
    "Verdict",
    "hookimpl",
    "hookspec",
]

CONTRACT = 1
BACKENDS_GROUP = "signer_core.backends"
EXTENSIONS_GROUP = "signer_core.extensions"

hookspec = pluggy.HookspecMarker("signer_core")
#: Marks a function as the implementation of the hook that it is named after.
hookimpl = pluggy.HookimplMarker("signer_core")


class CommandLine(Protocol):
    """What a plugin's own commands find in ``click.get_current_context().obj``."""

    def config(self) -> Any:
        """The configured options of the plugin's backend or extension, as an instance of its ``config_class``."""

    def secret(self, reference: str | None, text: str, *, confirm: bool = False) -> "Secret":
        """A secret besides those options, such as a new passphrase: the one that ``reference`` names.

        A relative path in it starts at the working directory. For None and "prompt" the user is asked for ``text``
        ("new passphrase") when the secret is used, with ``confirm`` twice.
        """


class BackendHooks(Protocol):
    """The hooks of a backend. Only the one plugin that a configuration names is ever asked."""

    @hookspec(firstresult=True)
    def signer_backend(self) -> Backend:
        """Describe the backend. Called once when a signer is opened; touches no key, no file and no network."""

    @hookspec(firstresult=True)
    def signer_open(self, config: Any, deadline: Deadline) -> SigningKey:
        """Open the key that exists. ``config`` is an instance of the backend's ``config_class``.

        One attempt: a retryable :class:`~signer_core.errors.SignError` makes the core ask again inside the budget.
        Raises :class:`~signer_core.errors.KeyNotFoundError` where there is no key. Imports its SDK here, not at the
        top.
        """

    @hookspec(firstresult=True)
    def signer_init(self, config: Any, deadline: Deadline) -> SigningKey:
        """Make the key if it is missing, then open it; for a key that exists the same as ``signer_open``. Optional.

        ``deadline`` is that of the whole call, without the configured ``attempt_timeout``, since a key must not be made
        twice; an error after the key was made is not ``retryable``.
        """

    @hookspec(firstresult=True)
    def signer_check(self, config: Any, deadline: Deadline) -> Iterable["Verdict"]:
        """Further steps for ``signer check``, in order, each with its verdict. Optional.

        ``deadline`` is that of all steps together; nothing is tried again.
        """

    @hookspec(firstresult=True)
    def signer_commands(self) -> "click.Group":
        """A click group that is shown as ``signer NAME …``; its ``ctx.obj`` is a :class:`CommandLine`. Optional."""


class ExtensionHooks(Protocol):
    """The hooks of an extension's entry point."""

    @hookspec(firstresult=True)
    def signer_extension(self) -> "Extension":
        """Describe the extension. Called once when a signer is opened; touches no file and no network."""

    @hookspec(firstresult=True)
    def signer_attach(self, config: Any) -> object:
        """An object for one signer, with any of the hooks of :class:`~signer_core.hookspecs.AttachedHooks`.

        It may have ``close()``, too. Called once when the signer is opened, before its key is; ``config`` is an
        instance of the extension's ``config_class``. ``close()`` is called once: when no call asks it any more, or when
        the signer fails to open.
        """

    @hookspec(firstresult=True)
    def signer_commands(self) -> "click.Group":
        """A click group that is shown as ``signer NAME …``; its ``ctx.obj`` is a :class:`CommandLine`. Optional."""


class AttachedHooks(Protocol):
    """The hooks of the object that :meth:`ExtensionHooks.signer_attach` returns.

    Called in the thread of the call, from several threads at once; once for each call, however many attempts it takes.
    Where only a digest is signed they are called if :attr:`~signer_core.Extension.needs_message` is False; an object
    that is attached in code says so by an attribute of that name. Else the call is refused in their name.
    """

    @hookspec
    def signer_before_sign(self, event: "SignEvent") -> None:
        """Return None to approve; raise :class:`~signer_core.errors.PolicyViolationError` to refuse.

        Anything else that is raised becomes :class:`~signer_core.errors.ExtensionError`, and refuses too; so does
        anything else that is returned, which is a :class:`~signer_core.errors.PluginContractError`. Extensions are
        asked in configured order, and none after the first that refuses.
        """

    @hookspec
    def signer_after_sign(self, event: "SignEvent", signature: bytes | None, error: Exception | None) -> None:
        """Record the outcome: the signature, or the error that will be raised; the other one is None.

        Called in reverse order, for each extension, once its signer's extensions were asked: after refusals as well,
        its own and those of others. A call that is broken off by an interrupt shows as
        :class:`~signer_core.errors.SignCancelledError`; its key may have signed. Raising withholds the signature.
        """


# Loaded when asked for: a signer without extensions has no use for them.
_LATER = {"Extension": "extension", "SignEvent": "extension", "Verdict": "verdict"}

if not TYPE_CHECKING:  # a type checker must see the names above and no others

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(f"signer_core.{_LATER[name]}"), name)
        return value
