"""What the options of ``signer`` itself come to: the settings of one signer, and the signer."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from signer_core.cli.configuration_file import ConfigurationFile
from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_core.secrets import Secret
    from signer_core.settings import Settings
    from signer_core.signer import Signer


class CommandLine:
    """``signer [--config PATH] [--signer NAME] [--backend NAME] [--set OPTION=VALUE]…``: what subcommands work with."""

    def __init__(
        self,
        *,
        config: str | None = None,
        signer: str | None = None,
        backend: str | None = None,
        options: Mapping[str, str] | None = None,
        verbosity: int = 0,
    ) -> None:
        self.file = ConfigurationFile(config)
        self.signer = signer
        self.backend = backend
        #: What ``--set`` gave, as it was typed.
        self.options = options or {}
        self.verbosity = verbosity
        #: Whether nothing will be done but to show help, or to complete a word.
        self.only_help = False

    def open_signer(self) -> "Signer":
        """The configured signer, whose key must exist."""
        from signer_core.factory import open_signer

        return open_signer(self.settings())

    def settings(self, *, backend: str | None = None) -> "Settings":
        """The settings out of the configuration file and the options.

        ``backend`` is the one to go without a file where the options name none. Raises :class:`ConfigError`.
        """
        if not self.file.exists and not self.file.is_required:
            return self.settings_without_file(backend=backend)
        from signer_core.config import read

        arguments = self._arguments()
        if self.backend is not None:
            arguments["backend"] = self.backend
        settings = read(self.file.path, name=self.signer, arguments=arguments, inspect=self.file.inspect)
        if self.backend is not None and settings.table.get("backend", self.backend) != self.backend:
            raise ConfigError(
                f"{settings.source} names the backend {settings.table['backend']!r}, not {self.backend!r}",
                remedy="leave out --backend, or give another file by --config",
            )
        return _prompting(settings)

    def settings_without_file(self, *, backend: str | None = None) -> "Settings":
        """The settings out of the options alone."""
        from signer_core.config import read

        arguments = self._arguments()
        backend = self.backend or backend
        if backend is None:
            raise ConfigError(
                f"there is no configuration: no {self.file.path} here, and no --backend",
                remedy="`signer --backend file --set path=keys --set passphrase=file:PATH init` makes a key and "
                "writes a configuration; `signer backends` lists the backends",
            )
        settings = read({"backend": backend}, name=self.signer, arguments=arguments)
        return _prompting(settings.replace(source="the command line"))

    def _arguments(self) -> dict[str, object]:
        from signer_core.options import ShellText

        if "backend" in self.options:
            raise ConfigError("the backend is not set as an option", remedy="use --backend NAME")
        return {option: ShellText(value) for option, value in self.options.items()}


def secret(reference: str | None, text: str, *, confirm: bool = False) -> "Secret":
    """The secret that a command of a plugin takes: see :meth:`signer_core.hookspecs.CommandLine.secret`."""
    from signer_core.cli.prompt import ask
    from signer_core.secrets import Secret

    return Secret.from_reference(reference or "prompt", prompt=functools.partial(ask, text, confirm=confirm))


def _prompting(settings: "Settings") -> "Settings":
    """``settings`` that can ask the user for a secret."""
    return settings.replace(prompt=_ask)


def _ask(name: str) -> bytes:
    from signer_core.cli.prompt import ask

    return ask(name)
