"""Asking the user for a secret."""

import os
import warnings
from typing import TYPE_CHECKING

import click

from signer_core.cli.failures import by_interrupt
from signer_core.errors import ConfigError

if TYPE_CHECKING:
    from signer_core.settings import Settings


def ask(name: str, *, confirm: bool = False) -> bytes:
    """What the user types, unseen, when asked for ``name``: the very bytes, as ``env:`` would have them.

    With ``confirm`` twice, where a typing error would be final. Raises :class:`ConfigError` where nobody answers.
    """
    question = name
    while True:
        answer = _answer(question, name)
        if not confirm or _answer("Repeat for confirmation", name) == answer:
            return os.fsencode(answer)
        # in the question, since that is on the terminal even where standard error is not
        question = f"these were not the same; {name}"


def _answer(question: str, name: str) -> str:
    import getpass

    with warnings.catch_warnings():
        # Without a terminal getpass would read the message that is to be signed, and show what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            answer: str = click.prompt(question, hide_input=True, err=True)
        except click.Abort as abort:
            if by_interrupt(abort):
                raise KeyboardInterrupt from None
            raise _nobody_there(name) from None
        except getpass.GetPassWarning:
            raise _nobody_there(name) from None
    return answer


def is_asked_for(settings: "Settings") -> bool:
    """Whether ``settings`` may have a secret that the user is asked for."""
    return "prompt" in [*settings.table.values(), *settings.environment.values(), *settings.arguments.values()]


def _nobody_there(name: str) -> ConfigError:
    return ConfigError(
        f"nobody answered the question for the {name}",
        remedy='where there is no terminal, use "file:PATH" or "env:NAME"',
    )
