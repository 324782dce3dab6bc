"""What the libraries log, as lines on stderr while the command runs."""

import contextlib
import logging
from collections.abc import Iterator

import click

from signer_core.cli.failures import one_line


class _Lines(logging.Handler):
    """``warning: …`` beside the command's own ``error: …``."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more: no reason to fail
            click.echo(f"{record.levelname.lower()}: {one_line(record.getMessage())}", err=True)


@contextlib.contextmanager
def logs_on_stderr(verbosity: int) -> Iterator[None]:
    """Show warnings and errors, from verbosity 1 on also what is for information."""
    root = logging.getLogger()
    lines, level = _Lines(), root.level
    lines.setLevel(logging.INFO if verbosity else logging.WARNING)
    root.addHandler(lines)
    root.setLevel(lines.level)
    try:
        yield
    finally:
        root.removeHandler(lines)
        root.setLevel(level)
