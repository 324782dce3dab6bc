"""What ends and tells of itself as the ``signer`` command does."""

import sys
from collections.abc import Sequence
from typing import Any

import click


class Program(click.Command):
    """A command that is a program of its own, with a parameter ``verbosity``: how much it tells on stderr.

    Failures end the program in one way: ``error: …`` on stderr, the remedy in a second line, and an exit status.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT002 — click's own signature
        **extra: Any,
    ) -> Any:
        """Run the command and exit; for the parameters see :meth:`click.Command.main`."""
        try:
            status = super().main(args, prog_name or self.name, complete_var, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:
            if not standalone_mode:
                raise
            from signer_core.cli.failures import report

            status = report(error)
        if not standalone_mode:
            return status
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it returns is nobody's exit status."""
        from signer_core.cli.logs import logs_on_stderr

        verbosity: int = ctx.params["verbosity"]
        with logs_on_stderr(verbosity):
            try:
                super().invoke(ctx)
            except Exception as error:
                if verbosity > 1 and not isinstance(error, click.exceptions.Exit):
                    import traceback

                    traceback.print_exception(error)
                raise
