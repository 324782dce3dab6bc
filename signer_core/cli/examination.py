"""The steps of ``signer check``, each of which comes to a verdict."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from signer_core.cli.command_line import CommandLine
from signer_core.deadline import Deadline
from signer_core.distributions import distribution_of
from signer_core.errors import SignerError
from signer_core.factory import open_signer
from signer_core.hookspecs import Verdict
from signer_core.plugins import BackendPlugin, load_backend
from signer_core.settings import CoreOptions, Settings
from signer_core.signer import Signer


def examine(command_line: CommandLine) -> Iterator[Verdict]:
    """The verdicts, in order; it ends early where a step failed that all later ones need."""
    with contextlib.ExitStack() as stack:
        examination = _Examination(command_line, stack)
        for step in (examination.configuration, examination.plugin, examination.options, examination.environment):
            verdict = _verdict(step)
            yield verdict
            if not verdict.passed:
                return
        key = _verdict(examination.key)
        yield key
        yield from examination.of_the_plugin()
        if key.passed:
            yield _verdict(examination.signature)


def _verdict(step: Callable[[], str]) -> Verdict:
    """What becomes of a step: passed with the detail that it gives, or failed with its error."""
    name = step.__name__
    try:
        return Verdict(step=name, passed=True, detail=step())
    except SignerError as error:
        return Verdict(step=name, passed=False, detail=error.message, remedy=error.remedy)


class _Examination:
    """One step per method, each named as it is reported; what one finds, the later ones use."""

    _settings: Settings
    _core: CoreOptions
    _plugin: BackendPlugin
    _config: Any
    _signer: Signer

    def __init__(self, command_line: CommandLine, stack: contextlib.ExitStack) -> None:
        self._command_line = command_line
        self._stack = stack

    def configuration(self) -> str:
        self._settings = self._command_line.settings()
        self._core = self._settings.core_options()
        return f"{self._settings.source}, backend {self._settings.backend}"

    def plugin(self) -> str:
        self._plugin = load_backend(self._settings.backend, trusted=self._core.trusted)
        distribution = distribution_of(self._plugin.entry_point)
        return f"{distribution.name} {distribution.version} in {distribution.locate_file('')}"

    def options(self) -> str:
        self._config = self._settings.backend_config(self._plugin.backend.config_class)
        given = {**self._settings.table, **self._settings.arguments}
        return f"given: {', '.join(sorted(given.keys() - {'backend'})) or 'none'}"

    def environment(self) -> str:
        ignored = self._settings.ignored_variables(self._plugin.backend.config_class)
        return f"ignored: {', '.join(ignored)}" if ignored else "no SIGNER_* variable is ignored"

    def key(self) -> str:
        self._signer = self._stack.enter_context(open_signer(self._settings))
        key = self._signer.public_key
        return f"{self._signer.key_id}, {key.algorithm}, address {key.address.hex()}, fingerprint {key.fingerprint}"

    def of_the_plugin(self) -> Iterator[Verdict]:
        """The plugin's own verdicts, such as those on the permissions of its files."""
        timeout = self._plugin.backend.default_timeout if self._core.timeout is None else self._core.timeout
        try:
            yield from self._plugin.check(self._config, Deadline.after(timeout))
        except SignerError as error:
            yield Verdict(step="steps of the plugin", passed=False, detail=error.message, remedy=error.remedy)

    def signature(self) -> str:
        # A text, and never the same one: what it signs is of no use to anybody.
        message = f"signer check {secrets.token_hex(16)}".encode()
        self._signer.public_key.verify(self._signer.sign(message), message)
        return "made and verified"
