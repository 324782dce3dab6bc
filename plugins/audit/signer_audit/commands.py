"""``signer audit verify``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from signer_core.errors import SignerError

if TYPE_CHECKING:
    from signer_audit.verification import Report


class TamperedError(SignerError):
    """A log is not as it was written."""

    code = "audit-tampered"


@click.group("audit")
def group() -> None:
    """Verify the log of the extension audit."""


def _hash(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from signer_audit.entry import is_hash

    if value is not None and not is_hash(value := value.lower()):
        raise click.BadParameter("write a SHA-256 as 64 hex digits")
    return value


@group.command("verify")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--head", metavar="HASH", callback=_hash, help="A head that was kept elsewhere; the log must have it.")
@click.option("--json", "as_json", is_flag=True, help="Print an object in JSON.")
def verify_log(paths: tuple[str, ...], head: str | None, as_json: bool) -> None:
    """Verify that no line of a log was removed, changed, repeated or moved.

    A log that was rotated has several files: give them all, the oldest first; "-" is the standard input. Without
    --head, a log whose end was cut off looks like one that never was longer.
    """
    from signer_audit.verification import verify

    report = verify(paths, wanted=head)
    if as_json:
        import json

        click.echo(json.dumps({"ok": report.problem is None, **_facts(report)}, indent=2))
    elif report.problem is None:
        for line in _text(report):
            click.echo(line)
    if report.problem is not None:
        remedy = "keep the file as it is; compare it with copies, and with heads that were kept elsewhere"
        raise TamperedError(report.problem, remedy=remedy)


def _facts(report: "Report") -> dict[str, object]:
    return {
        "problem": report.problem,
        "lines": report.lines,
        "head": report.head,
        "torn_lines": report.torn,
        "last_torn_line": report.last_torn,
        "continues": report.continues,
        "lines_after_head": report.lines_after_wanted,
    }


def _text(report: "Report") -> Iterator[str]:
    yield f"the log is intact: {_lines(report.lines)}, head {report.head}"
    if report.lines_after_wanted is not None:
        yield f"the head that was given is in it, and {_lines(report.lines_after_wanted)} after that"
    if report.torn:
        yield (
            f"{_lines(report.torn)} not written to the end, the last one {report.last_torn}: the process or the "
            "machine stopped, or it is being written now"
        )
    if report.continues is not None:
        yield f"it continues a file whose head was {report.continues}"


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
