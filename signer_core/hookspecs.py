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

import abc
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import pluggy

from signer_core.algorithms import Algorithm, prehash_of
from signer_core.deadline import Deadline
from signer_core.errors import UnsupportedAlgorithmError
from signer_core.options import budget
from signer_core.public_key import PublicKey
from signer_core.secrets import Secret

if TYPE_CHECKING:
    import click

CONTRACT = 1
BACKENDS_GROUP = "signer_core.backends"
EXTENSIONS_GROUP = "signer_core.extensions"

hookspec = pluggy.HookspecMarker("signer_core")
#: Marks a function as the implementation of the hook that it is named after.
hookimpl = pluggy.HookimplMarker("signer_core")


class SigningKey(abc.ABC):
    """One key that can sign. Safe to call from several threads. Its ``key_id`` and ``public_key`` never change."""

    @property
    @abc.abstractmethod
    def key_id(self) -> str:
        """The backend's canonical name of the key: a path, an ARN."""

    @property
    @abc.abstractmethod
    def public_key(self) -> PublicKey:
        """The key's public half, known once the key is open."""

    @abc.abstractmethod
    def sign(self, message: bytes, deadline: Deadline) -> bytes:
        """One attempt to sign; one that waits must not outlast the deadline.

        Raises :class:`~signer_core.errors.SignError`; its ``retryable`` and ``retry_after`` tell the core whether and
        when to try again. Any other exception becomes :class:`~signer_core.errors.PluginContractError`.
        """

    def sign_digest(self, digest: bytes, deadline: Deadline) -> bytes:
        """One attempt to sign a message of which only the digest is given.

        The digest is as :meth:`~signer_core.PublicKey.hasher` makes it, and has the right length. Otherwise all is as
        in :meth:`sign`, the signature too. Optional: a key that signs no digests, or none with its algorithm, leaves it
        as it is here, which raises :class:`~signer_core.errors.UnsupportedAlgorithmError`.
        """
        prehash_of(self.public_key.algorithm)  # if no key with the algorithm does, that is the reason
        raise UnsupportedAlgorithmError("this key signs no digests", remedy="sign the message itself")

    @property
    def max_message_bytes(self) -> int | None:
        """The largest message in bytes that the key signs; None for no limit."""
        return None

    @property
    def concurrency(self) -> int | None:
        """How many signatures it makes at once without one waiting for another, such as its number of connections.

        As many threads serve :meth:`Signer.sign_async() <signer_core.Signer.sign_async>` and batches. None for as many
        as the machine has cores, or 64 for a key of a remote backend. Asked once, when the key is opened.
        """
        return None

    @property
    def renew_after(self) -> float | None:
        """The seconds after which the core asks :meth:`renew`; None for never."""
        return None

    @property
    def reopens(self) -> bool:
        """Whether opening the same configuration again gives this key; a signer of one that does not is not pickled."""
        return True

    def renew(self, deadline: Deadline) -> "SigningKey":
        """This key where its name still means it, else a new object for the key that it means now."""
        return self

    def close(self) -> None:  # noqa: B027 — nothing to give back is the usual case
        """Give back what the key holds. The core calls it once, when no call uses the key any more."""


def _frozen(algorithms: Iterable[Algorithm]) -> frozenset[Algorithm]:
    return frozenset(Algorithm(each) for each in algorithms)


def _is_bool(_: object, field: "attrs.Attribute[bool]", value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{field.name} must be True or False, not {value!r}")


def _is_count(_: object, field: "attrs.Attribute[int]", value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{field.name} must be a whole number, not {value!r}")
    if value < 0:
        raise ValueError(f"{field.name} must be 0 or more, not {value!r}")


@attrs.frozen(kw_only=True)
class Backend:
    """What the core must know of a backend before it opens a key."""

    #: The version of this contract that the plugin was written for: a literal, not ``CONTRACT``.
    contract: int
    #: The frozen attrs class of its options.
    config_class: type[Any]
    #: Its keys are reached over a network: their signatures are verified unless the configuration says otherwise.
    remote: bool = attrs.field(default=False, validator=_is_bool)
    #: The algorithms of the keys that it can open.
    algorithms: frozenset[Algorithm] = attrs.field(default=frozenset(Algorithm), converter=_frozen)
    #: The defaults of the core's options: the seconds that one call may take; None for no limit.
    default_timeout: float | None = attrs.field(default=None, converter=budget)
    #: The seconds that one attempt may take.
    default_attempt_timeout: float | None = attrs.field(default=None, converter=budget)
    #: The attempts after the first.
    default_max_retries: int = attrs.field(default=0, validator=_is_count)


@attrs.frozen(kw_only=True)
class Extension:
    """What the core must know of an extension before it attaches it."""

    #: The version of this contract that the plugin was written for: a literal, not ``CONTRACT``.
    contract: int
    #: The frozen attrs class of its options.
    config_class: type[Any]
    #: Without the message there is nothing to decide: signing of digests, and so of files that are larger than memory
    #: should hold, is refused in its name, without asking or telling it.
    needs_message: bool = attrs.field(default=True, validator=_is_bool)


@attrs.frozen(eq=False, slots=False)  # one is made for each signature, which is quicker without slots and keywords
class SignEvent:
    """One signature that is asked for, as extensions see it."""

    #: The signer's name; None where it has none.
    signer: str | None
    #: The backend's name; None for a key that was opened in code.
    backend: str | None
    #: The backend's name of the key that signs this call, from its first hook to its last.
    key_id: str
    #: That key's public half.
    public_key: PublicKey
    #: The message, the very bytes that are signed; None where only a digest is.
    message: bytes | None = attrs.field(repr=False)
    #: Seconds since the epoch.
    started_at: float
    #: Where only a digest is signed, its name and its bytes: "sha256", or what else
    #: :meth:`~signer_core.PublicKey.hasher` has for a name.
    prehashed: tuple[str, bytes] | None = None
    #: The message's size in bytes, where it is known.
    size: int | None = None

    @functools.cached_property
    def digest(self) -> bytes | None:
        """SHA-256 of the message, computed once; None where there is no message, and no such digest of it either."""
        if self.message is not None:
            import hashlib

            return hashlib.sha256(self.message).digest()
        return self.prehashed[1] if self.prehashed is not None and self.prehashed[0] == "sha256" else None


@attrs.frozen(kw_only=True)
class Verdict:
    """One step of ``signer check``."""

    #: What was looked at, in a word or two.
    step: str
    #: Whether it is as it should be.
    passed: bool
    #: What was found.
    detail: str = ""
    #: What to do about it, for a step that did not pass.
    remedy: str | None = None


class CommandLine(Protocol):
    """What a plugin's own commands find in ``click.get_current_context().obj``."""

    def config(self) -> Any:
        """The configured options of the plugin's backend or extension, as an instance of its ``config_class``."""

    def secret(self, reference: str | None, text: str, *, confirm: bool = False) -> Secret:
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

        ``deadline`` is that of the whole call, since a key must not be made twice; an error after the key was made is
        not ``retryable``.
        """

    @hookspec(firstresult=True)
    def signer_check(self, config: Any, deadline: Deadline) -> Iterable[Verdict]:
        """Further steps for ``signer check``, in order, each with its verdict. Optional."""

    @hookspec(firstresult=True)
    def signer_commands(self) -> "click.Group":
        """A click group that is shown as ``signer NAME …``; its ``ctx.obj`` is a :class:`CommandLine`. Optional."""


class ExtensionHooks(Protocol):
    """The hooks of an extension's entry point."""

    @hookspec(firstresult=True)
    def signer_extension(self) -> Extension:
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
    def signer_before_sign(self, event: SignEvent) -> None:
        """Return None to approve; raise :class:`~signer_core.errors.PolicyViolationError` to refuse.

        Anything else that is raised becomes :class:`~signer_core.errors.ExtensionError`, and refuses too; so does
        anything else that is returned, which is a :class:`~signer_core.errors.PluginContractError`. Extensions are
        asked in configured order, and none after the first that refuses.
        """

    @hookspec
    def signer_after_sign(self, event: SignEvent, signature: bytes | None, error: Exception | None) -> None:
        """Record the outcome: the signature, or the error that will be raised; the other one is None.

        Called in reverse order, for each extension, once its signer's extensions were asked: after refusals as well,
        its own and those of others. A call that is broken off by an interrupt shows as
        :class:`~signer_core.errors.SignCancelledError`; its key may have signed. Raising withholds the signature.
        """
