"""Progress bars on a terminal."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import click

from signer_core.cli.input import PIECE


class Bar(Protocol):
    """A progress bar."""

    def update(self, n_steps: int) -> None:
        """So many further steps were made."""


def progress(label: str, steps: int) -> AbstractContextManager[Bar]:
    """A bar of so many steps, where somebody may see it and there is something to see."""
    if steps < 2 or not sys.stderr.isatty():  # nothing for click to load its bars for
        return nullcontext(_Hidden())
    return click.progressbar(length=steps, label=label, file=sys.stderr)


class _Hidden:
    def update(self, n_steps: int) -> None:
        """Show nothing."""


def steps_of(size: int | None) -> int:
    """How many pieces of so many bytes are read; 1 where the size is not known."""
    return 1 if size is None else -(-size // PIECE)
