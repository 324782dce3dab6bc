"""Which configuration is read: never one that lies in the working directory, as a cloned repository could bring it."""

import os
from collections.abc import Callable

from signer_core.cli.configuration_file import VARIABLE, ConfigurationFile
from signer_core.config import read_all
from signer_core.errors import ConfigError
from signer_core.settings import Settings
from signer_ssh.terminal import ask

#: In the directory for configurations, ``~/.config`` if ``$XDG_CONFIG_HOME`` names no other.
DEFAULT = os.path.join("signer", "signer.toml")


def signers(named: str | None) -> list[Settings]:
    """The settings of all signers in the file ``named``, else in that of ``$SIGNER_CONFIG``, else in the user's own.

    Raises :class:`~signer_core.errors.ConfigError`.
    """
    file = ConfigurationFile(named, default=os.path.join(_home(), DEFAULT))
    if named is None and not file.path.is_absolute():
        raise ConfigError(
            f"the configuration would be {file.path}, which is no absolute path: a repository could bring such a file",
            remedy=f"write the whole path into ${VARIABLE}",
        )
    return [each.replace(prompt=_prompt(each)) for each in read_all(file.path, inspect=file.inspect)]


def _home() -> str:
    """Where the user's configurations are (XDG Base Directory Specification: a relative path there is ignored)."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    return configured if os.path.isabs(configured) else os.path.expanduser("~/.config")


def _prompt(settings: Settings) -> Callable[[str], bytes]:
    """Asks for a secret so that the user sees whose it is."""
    of = "" if settings.name is None else f" of {settings.name}"
    return lambda option: ask(f"{option}{of}")
