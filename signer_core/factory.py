"""From a configuration to a Signer."""

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from signer_core import parallel
from signer_core.attempts import Attempts
from signer_core.config import read
from signer_core.core_options import CoreOptions
from signer_core.deadline import Deadline
from signer_core.errors import ConfigError, KeyNotFoundError, PluginContractError
from signer_core.extensions import Extensions
from signer_core.facts import check_name
from signer_core.hookspecs import SigningKey
from signer_core.key_contract import check_key, close_unwanted
from signer_core.pins import Pins, hex_address, hex_bytes
from signer_core.plugins import BackendPlugin, configured_extensions, load_backend
from signer_core.settings import Settings
from signer_core.signer import Signer

if TYPE_CHECKING:
    from signer_core.extension_plugin import ConfiguredExtension

#: A mapping, the body of a ``[signer]`` table; or the path of a TOML or YAML file.
Config = Mapping[str, Any] | str | os.PathLike[str]


def create_signer(
    config: Config, *, name: str | None = None, timeout: float | None = None, cancel: threading.Event | None = None
) -> Signer:
    """Open the key that ``config`` names, which must exist.

    ``name`` picks ``[signers.NAME]`` from a file of many, and labels the signer. ``timeout`` is the budget of opening
    in seconds (None: as configured, ``math.inf``: none); ``cancel`` calls it off.

    Raises :class:`~signer_core.errors.ConfigError`, :class:`~signer_core.errors.PluginError`, the errors about keys,
    and those :class:`~signer_core.errors.SignError` that tell why a backend does not answer.
    """
    return open_signer(read(config, name=name), timeout=timeout, cancel=cancel)


def init_signer(
    config: Config, *, name: str | None = None, timeout: float | None = None, cancel: threading.Event | None = None
) -> Signer:
    """The same, making the key first where it is missing; running it twice changes nothing.

    With an ``expected_…`` pin it never makes a key, and neither does a backend that cannot.
    """
    return open_signer(read(config, name=name), make=True, timeout=timeout, cancel=cancel)


async def create_signer_async(
    config: Config, *, name: str | None = None, timeout: float | None = None, cancel: threading.Event | None = None
) -> Signer:
    """:func:`create_signer` without blocking the event loop; cancelling the task calls the opening off."""
    Deadline.after(None, cancel=cancel)  # refuses what is no event, before there is a thread
    return await parallel.awaited(
        lambda called_off: create_signer(config, name=name, timeout=timeout, cancel=called_off),
        cancel=cancel,
        unwanted=Signer.close,
    )


def open_signer(
    settings: Settings,
    *,
    make: bool = False,
    timeout: float | None = None,
    cancel: threading.Event | None = None,
    fingerprint: str | None = None,
) -> Signer:
    """The signer of ``settings``; ``make`` its key if it is missing; ``fingerprint`` pins a pickled signer's key."""
    check_name(settings.name)
    core = settings.core_options()
    plugin = load_backend(settings.backend, trusted=core.trusted)
    config = plugin.configure(settings)
    extensions = configured_extensions(settings)
    settings.warn_of_powerless_variables()
    attempts = _attempts(core, plugin)
    verify = core.hedge_after is not None or plugin.backend.remote if core.verify is None else core.verify
    if core.hedge_after is not None:  # before the key: what does not fit shall make none
        from signer_core.hedging import check_algorithms, check_options

        check_options(core.hedge_after, attempts, verify=verify)
        check_algorithms(plugin.algorithms(config))
    deadline = attempts.deadline(timeout, cancel)
    pins = Pins(
        address=hex_address(core.expected_address),
        public_key=hex_bytes(core.expected_public_key),
        fingerprint=fingerprint,
    )
    with contextlib.ExitStack() as unwanted:
        attached = []
        for extension in extensions:  # before the key: where one fails, such as a log on a full disk, none is made
            attached.append(extension.attach())
            unwanted.callback(attached[-1].close)
        key = _open_key(plugin, config, attempts, deadline, make=make, pins=pins)
        unwanted.callback(close_unwanted, key)
        if check_key(key, plugin.broken).public_key.algorithm not in plugin.backend.algorithms:
            raise plugin.broken(f"it opened a key for {key.public_key.algorithm}, which it does not declare")
        pins.check(key.public_key)
        try:
            signer = Signer(
                key,
                name=settings.name,
                backend=plugin.name,
                timeout=attempts.timeout,
                attempt_timeout=attempts.attempt_timeout,
                max_retries=attempts.max_retries,
                hedge_after=core.hedge_after,
                verify=verify,
                expected_address=core.expected_address,
                expected_public_key=core.expected_public_key,
                extensions=Extensions(attached),
                origin=_Configured(plugin, _reopening(settings, config, extensions), settings.name),
            )
        except ConfigError as error:  # an option does not fit to this key
            if make:
                error.add_note(f"the key {key.key_id} was opened or made before that was seen")
            raise
        unwanted.pop_all()
        return signer


class _Configured:
    """Where a signer comes from. A pickle holds the whole configuration, and nothing of the plugin or the key."""

    __slots__ = ("_mapping", "_name", "_plugin")

    def __init__(self, plugin: BackendPlugin, mapping: Mapping[str, Any], name: str | None) -> None:
        self._plugin = plugin
        self._mapping = mapping
        self._name = name

    @property
    def remote(self) -> bool:
        return self._plugin.backend.remote

    def broken(self, what: str) -> PluginContractError:
        return self._plugin.broken(what)

    def reopening(self, fingerprint: str) -> tuple[Any, ...]:
        return _reopen, (self._mapping, self._name, fingerprint)


def _reopening(settings: Settings, config: object, extensions: "Sequence[ConfiguredExtension]") -> dict[str, Any]:
    """The mapping that opens the same signer anywhere, extensions included."""
    mapping = settings.reopening(config)
    if extensions:
        mapping["extensions"] = {each.plugin.name: each.reopening() for each in extensions}
    return mapping


def _reopen(mapping: Mapping[str, Any], name: str | None, fingerprint: str) -> Signer:
    return open_signer(read(mapping, name=name), fingerprint=fingerprint)


def _attempts(core: CoreOptions, plugin: BackendPlugin) -> Attempts:
    backend = plugin.backend
    return Attempts(
        timeout=backend.default_timeout if core.timeout is None else core.timeout,
        attempt_timeout=backend.default_attempt_timeout if core.attempt_timeout is None else core.attempt_timeout,
        max_retries=backend.default_max_retries if core.max_retries is None else core.max_retries,
    )


def _open_key(
    plugin: BackendPlugin,
    config: object,
    attempts: Attempts,
    deadline: Deadline,
    *,
    make: bool,
    pins: Pins,
) -> SigningKey:
    makes = make and plugin.makes_keys and not pins
    if makes:  # an attempt that is broken off in the middle might make the key twice
        attempts = Attempts(timeout=attempts.timeout, max_retries=attempts.max_retries)
    try:
        ask = plugin.init if makes else plugin.open
        return attempts.run(lambda attempt: ask(config, attempt), deadline)
    except KeyNotFoundError as error:
        if not make or makes:
            raise
        if pins:
            reason, remedy = "a pinned key is never made", "restore the key, or leave out the pin to make another"
        else:
            reason, remedy = f"the backend {plugin.name!r} makes no keys", "make it with the backend's own tools"
        raise KeyNotFoundError(f"{error.message} ({reason})", remedy=remedy) from error
