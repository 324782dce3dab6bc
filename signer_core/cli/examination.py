"""The steps of ``signer check``, each of which comes to a verdict."""

import contextlib
import os
import secrets
from collections.abc import Callable, Generator, Iterator
from typing import Any, ParamSpec, TypeVar

from signer_core.cli.command_line import CommandLine
from signer_core.cli.configuration_file import VARIABLE
from signer_core.cli.public_keys import has_raw
from signer_core.deadline import Deadline
from signer_core.distributions import place_of
from signer_core.errors import PolicyViolationError, SignerError
from signer_core.extension_plugin import load_extension
from signer_core.extension_settings import ExtensionSettings
from signer_core.factory import open_signer
from signer_core.hookspecs import Verdict
from signer_core.plugin import Plugin
from signer_core.plugins import BackendPlugin, load_backend
from signer_core.settings import ENVIRONMENT_PREFIX, Settings
from signer_core.signer import Signer

P = ParamSpec("P")
T = TypeVar("T")


class _StepFailedError(Exception):
    """A step failed, and nothing can be done that needs what it should have found."""


def examine(command_line: CommandLine) -> Iterator[Verdict]:
    """The verdicts, in order; it ends early where a step failed that all later ones need."""
    with contextlib.suppress(_StepFailedError), contextlib.ExitStack() as stack:
        settings = yield from _step("configuration", _configuration, command_line)
        plugin = yield from _step("plugin", _plugin, settings)
        config = yield from _step("options", _options, settings, plugin)
        yield from _step("environment", _environment, settings, plugin)
        signer: Signer | None = None
        with contextlib.suppress(_StepFailedError):  # the plugin may know why
            yield from _extensions(settings)
            signer = yield from _step("key", _key, settings, stack)
        yield from _plugin_verdicts(settings, plugin, config)
        if signer is not None:
            yield from _step("signature", _signature, signer)


def _step(
    name: str, step: Callable[P, tuple[T, str]], *arguments: P.args, **named: P.kwargs
) -> Generator[Verdict, None, T]:
    """Yield the verdict on a step, which gives what it found and the detail to tell; return what it found."""
    try:
        found, detail = step(*arguments, **named)
    except SignerError as error:
        yield Verdict(step=name, passed=False, detail=error.message, remedy=error.remedy)
        raise _StepFailedError from None
    yield Verdict(step=name, passed=True, detail=detail)
    return found


def _configuration(command_line: CommandLine) -> tuple[Settings, str]:
    settings = command_line.settings()
    settings.core_options()
    settings.extensions()
    return settings, f"{settings.source}, backend {settings.backend}"


def _plugin(settings: Settings) -> tuple[BackendPlugin, str]:
    plugin = load_backend(settings.backend, trusted=settings.core_options().trusted)
    return plugin, _place(plugin)


def _place(plugin: Plugin) -> str:
    return f"{plugin.distribution} in {place_of(plugin.entry_point)}"


def _options(settings: Settings, plugin: BackendPlugin) -> tuple[Any, str]:
    config = settings.backend_config(plugin.backend.config_class)
    variables = settings.effective_variables(plugin.backend.config_class)
    given = {option: option for option in (*settings.table, *settings.arguments) if option != "backend"}
    given |= {option: f"{option} ({variable})" for option, variable in variables.items()}
    return config, f"given: {', '.join(sorted(given.values())) or 'none'}"


def _environment(settings: Settings, plugin: BackendPlugin) -> tuple[None, str]:
    effective = {VARIABLE, *settings.effective_variables(plugin.backend.config_class).values()}
    ignored = sorted(name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in effective)
    return None, f"ignored: {', '.join(ignored)}" if ignored else "no SIGNER_* variable is ignored"


def _extensions(settings: Settings) -> Iterator[Verdict]:
    """A step for each extension; where one fails, the others are still looked at, and the key cannot be opened."""
    failed = False
    for each in settings.extensions():
        try:
            yield from _step(f"extension {each.name}", _extension, each)
        except _StepFailedError:
            failed = True
    if failed:
        raise _StepFailedError


def _extension(settings: ExtensionSettings) -> tuple[None, str]:
    extension = load_extension(settings.name).configure(settings)
    if (failure := extension.attach().close()) is not None:
        raise failure
    return None, f"{_place(extension.plugin)}; given: {', '.join(sorted(settings.table)) or 'none'}"


def _key(settings: Settings, stack: contextlib.ExitStack) -> tuple[Signer, str]:
    signer = stack.enter_context(open_signer(settings))
    key = signer.public_key
    address = f"address {key.address.hex()}, " if has_raw(key.algorithm) else ""
    return signer, f"{signer.key_id}, {key.algorithm}, {address}fingerprint {key.fingerprint}"


def _plugin_verdicts(settings: Settings, plugin: BackendPlugin, config: Any) -> Iterator[Verdict]:
    """The plugin's own verdicts, such as those on the permissions of its files."""
    timeout = settings.core_options().timeout
    try:
        yield from plugin.check(config, Deadline.after(plugin.backend.default_timeout if timeout is None else timeout))
    except SignerError as error:
        yield Verdict(step="steps of the plugin", passed=False, detail=error.message, remedy=error.remedy)


def _signature(signer: Signer) -> tuple[None, str]:
    # A text, and never the same one: what it signs is of no use to anybody.
    message = f"signer check {secrets.token_hex(16)}".encode()
    try:
        signature = signer.sign(message)
    except PolicyViolationError as refusal:  # that is what the extension is for
        return None, f"none was made: {refusal.message}"
    signer.public_key.verify(signature, message)
    return None, "made and verified"
