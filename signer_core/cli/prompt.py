"""Asking for the secrets that are configured as "prompt"."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from signer_core.cli.failures import by_interrupt
from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_core.settings import Settings

REFERENCE = "prompt"


def asking(settings: "Settings", *, confirm: bool = False) -> Callable[[], bytes]:
    """What asks for a secret of ``settings``, by the name of its option; twice where a typing error would be final."""
    name = ", ".join(_options_asked_for(settings)) or "secret"

    def ask() -> bytes:
        import getpass

        with warnings.catch_warnings():
            # Without a terminal getpass would read the message that is to be signed, and show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                text: str = click.prompt(name, hide_input=True, confirmation_prompt=confirm, err=True)
            except click.Abort as abort:
                if by_interrupt(abort):
                    raise KeyboardInterrupt from None
                raise _nobody_there(name) from None
            except getpass.GetPassWarning:
                raise _nobody_there(name) from None
        return text.encode("utf-8", "surrogateescape")

    return ask


def is_asked_for(settings: "Settings") -> bool:
    """Whether ``settings`` have a secret that the user is asked for."""
    return bool(_options_asked_for(settings))


def _options_asked_for(settings: "Settings") -> list[str]:
    given = {**settings.table, **settings.environment, **settings.arguments}
    return [option for option, value in given.items() if value == REFERENCE]


def _nobody_there(name: str) -> ConfigError:
    return ConfigError(
        f"nobody answered the question for the {name}",
        remedy='where there is no terminal, use "file:PATH" or "env:NAME"',
    )
