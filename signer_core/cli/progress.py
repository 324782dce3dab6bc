"""Progress bars on a terminal."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from signer_core.cli.input import PIECE


class Bar(Protocol):
    """A progress bar."""

    def update(self, n_steps: int) -> None:
        """So many further steps were made."""


@contextmanager
def progress(label: str, steps: int) -> Iterator[Bar]:
    """A bar of so many steps for any thread, where somebody may see it and there is something to see."""
    if steps < 2 or sys.stderr is None or not sys.stderr.isatty():  # nothing for click to load its bars for
        yield _Hidden()
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:
        yield _Shared(bar)


class _Hidden:
    def update(self, n_steps: int) -> None:
        """Show nothing."""


class _Shared:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._updating = threading.Lock()

    def update(self, n_steps: int) -> None:
        """Show so many further steps."""
        with self._updating:
            self._bar.update(n_steps)


def steps_of(size: int | None) -> int:
    """How many pieces of so many bytes are read; 1 where the size is not known."""
    return 1 if size is None else -(-size // PIECE)
