"""``signer check``: one step after the other, from the configuration to a signature."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from signer_core.cli.command_line import CommandLine
from signer_core.cli.failures import Failure, one_line
from signer_core.cli.output import Command, write

if TYPE_CHECKING:
    from signer_core.hookspecs import Verdict


@click.command("check", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print an object in JSON: ok, and a list of steps.")
@click.pass_obj
def command(command_line: CommandLine, *, as_json: bool) -> None:
    """Go through the configuration step by step, with what to do about each failure. Changes nothing.

    The steps: what is configured, which plugin serves it, whether its extensions can be attached, whether its key
    opens, what the plugin finds, and whether a signature can be made and verified. Extensions see that signature.
    """
    steps: list[dict[str, Any]] = []
    for verdict, seconds in _timed(command_line):
        if not as_json:
            write(_text(verdict, seconds))
        steps.append(
            {
                "step": verdict.step,
                "passed": verdict.passed,
                "detail": verdict.detail,
                "remedy": verdict.remedy,
                "seconds": round(seconds, 6),
            }
        )
    failed = sum(not step["passed"] for step in steps)
    if as_json:
        import json

        write(json.dumps({"ok": not failed, "steps": steps}, indent=2) + "\n")
    if failed:
        raise Failure(f"{failed} of {len(steps)} steps failed")


def _timed(command_line: CommandLine) -> "Iterator[tuple[Verdict, float]]":
    """Each verdict, and how many seconds it took to come to it."""
    from signer_core.cli.examination import examine

    before = time.perf_counter()
    for verdict in examine(command_line):
        yield verdict, time.perf_counter() - before
        before = time.perf_counter()


def _text(verdict: "Verdict", seconds: float) -> str:
    """A line that can be read at a glance, and the remedy below it."""
    mark = "ok" if verdict.passed else "FAILED"
    remedy = f"        remedy: {one_line(verdict.remedy)}\n" if verdict.remedy else ""
    return f"{mark:<6}  {one_line(verdict.step)}: {one_line(verdict.detail)} ({seconds:.3f}s)\n{remedy}"
